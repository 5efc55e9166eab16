import type { SentImage } from '../../captioners/resize-for-model.js';
import type { Box } from '../../records/box.js';
import type { TagRequest } from '../../records/ports.js';

/** How the numbers of boxes are written: in pixels of the image as sent, or in thousandths of its width and height. */
export type Coordinates = 'thousandths' | 'pixels';

/** How regions are shown to the model: as a list of boxes, or as boxes with their names drawn on the image. */
export type Marks = 'listed' | 'drawn';

/** How the regions of a request are shown. */
export interface Shown {
  readonly coordinates: Coordinates;
  readonly marks: Marks;
}

/** A detection with the name that a model knows it by. */
export interface Region {
  /** `P1` */
  readonly id: string;
  /** Index into the detections. */
  readonly index: number;
  /** Category as models read it. */
  readonly label: string;
  /** Pixels of the annotated image. */
  readonly box: Box;
}

/** The maximum number of regions of one request. */
export const MAX_REGIONS = 24;

/** The letter of categories whose own one names questions, or that have none. */
const OTHER = 'R';
const QUESTIONS = ['T', 'Q'];

/**
 * Names detections for a model, all requests about an image in the same way: by the first letter of the category and a number
 * that no other region has.
 */
export function nameRegions(
  { detections, labels }: Pick<TagRequest, 'detections' | 'labels'>,
  indices: Iterable<number>,
): ReadonlyMap<number, Region> {
  return new Map(
    ascending(indices).map((index, position) => {
      const { category, box } = detections[index]!;
      const label = labels?.get(category) ?? category;
      const letter = /[a-z]/i.exec(label)?.[0].toUpperCase() ?? OTHER;
      return [index, { id: `${QUESTIONS.includes(letter) ? OTHER : letter}${position + 1}`, index, label, box }];
    }),
  );
}

/** Returns indices in their order, each once. */
export const ascending = (indices: Iterable<number>): number[] => [...new Set(indices)].sort((a, b) => a - b);

/** The part of the annotated image that is sent, in its pixels. */
export type Frame = Box;

/** Returns a region as a line of a question: `P1 person [12,30,400,820]`, or without a box where it is drawn. */
export function regionText(
  { id, label, box }: Region,
  frame: Frame,
  { width, height }: Pick<SentImage, 'width' | 'height'>,
  { coordinates, marks }: Shown,
): string {
  if (marks === 'drawn') return `${id} ${label}`;
  const [x, y] = coordinates === 'pixels' ? [width, height] : [1000, 1000];
  const horizontally = (value: number) => place((value - frame[0]) / frame[2], x);
  const vertically = (value: number) => place((value - frame[1]) / frame[3], y);
  const corners = [
    horizontally(box[0]),
    vertically(box[1]),
    horizontally(box[0] + box[2]),
    vertically(box[1] + box[3]),
  ];
  return `${id} ${label} [${corners.join(',')}]`;
}

const place = (fraction: number, scale: number) => Math.round(Math.min(1, Math.max(0, fraction)) * scale);

/** Says what the numbers of boxes mean. */
export const coordinatesText = (coordinates: Coordinates, what: string): string =>
  coordinates === 'pixels'
    ? `[left, top, right, bottom] in pixels of the ${what}`
    : `[left, top, right, bottom] in thousandths of the width and height of the ${what}`;
