import { type Group, type GroupSpool, spoolPayloadLength } from '../files/spools/group-spool.js';
import type { Box } from '../records/box.js';
import { isBox } from './box-forms.js';
import type { AnnotationElement, ImageElement } from './coco-elements.js';

/** An annotation without its image id. Its box is that of its mask if `hasMask` is set and the mask can be read. */
export type ImageAnnotation = Omit<AnnotationElement, 'image'>;

/** An image with its annotations, in file order. */
export interface SpooledImage {
  readonly image: ImageElement;
  readonly annotations: readonly ImageAnnotation[];
}

/** Values of the first byte of a payload, which gives its kind. */
const imageJson = 0;
const annotationJson = 1;
const annotationNumbers = 2;
const maskNumbers = 3;

/** Bits of the second byte of `annotationNumbers`. */
const isCrowd = 1;
const hasId = 2;
const hasScore = 4;

const numbersBytes = 50;
const longestBox = 200;

/** Adds an image to its group; call it once per group. */
export function spoolImage(spool: GroupSpool, group: number, image: ImageElement): void {
  putJson(spool, group, imageJson, image);
}

/** Adds an annotation to the group of its image: in binary if it consists of numbers, as usual, else as JSON. */
export function spoolAnnotation(spool: GroupSpool, group: number, annotation: AnnotationElement): void {
  const { id, category, box, crowd, score, hasMask } = annotation;
  if (typeof id === 'string' || typeof category === 'string' || !isBox(box)) {
    putJson(spool, group, annotationJson, { id, category, box: truncated(box), crowd, score, hasMask });
    return;
  }
  const { view, at } = spool.reserve(group, score === undefined ? numbersBytes : numbersBytes + 8);
  view.setUint8(at, annotationNumbers);
  view.setUint8(at + 1, (crowd ? isCrowd : 0) | (id === null ? 0 : hasId) | (score === undefined ? 0 : hasScore));
  view.setFloat64(at + 2, id ?? 0, true);
  view.setFloat64(at + 10, category, true);
  for (let axis = 0; axis < 4; axis++) view.setFloat64(at + 18 + axis * 8, box[axis]!, true);
  if (score !== undefined) view.setFloat64(at + numbersBytes, score, true);
}

/** Adds the box of the next annotation of its image that `hasMask`; null if the mask cannot be read. */
export function spoolMaskBox(spool: GroupSpool, group: number, box: Box | null): void {
  const { view, at } = spool.reserve(group, 33);
  view.setUint8(at, maskNumbers);
  for (let axis = 0; axis < 4; axis++) view.setFloat64(at + 1 + axis * 8, box?.[axis] ?? Number.NaN, true);
}

/** Reads the group of an image; null if it has no image. If the group is cut off, only the image is read. */
export function readSpooledImage({ view, starts, cut }: Group): SpooledImage | null {
  let image: ImageElement | null = null;
  const annotations: ImageAnnotation[] = [];
  const masks: unknown[] = [];
  // The image comes first: `images` is read before `annotations`.
  for (const start of cut ? starts.subarray(0, 1) : starts) {
    const kind = view.getUint8(start);
    if (kind === imageJson) image = readJson(view, start) as ImageElement;
    else if (kind === annotationJson) annotations.push(readJson(view, start) as ImageAnnotation);
    else if (kind === maskNumbers) masks.push(readBox(view, start + 1));
    else annotations.push(readNumbers(view, start));
  }
  return image && { image, annotations: masks.length === 0 ? annotations : withMaskBoxes(annotations, masks) };
}

function withMaskBoxes(annotations: readonly ImageAnnotation[], masks: readonly unknown[]): ImageAnnotation[] {
  let next = 0;
  return annotations.map(({ hasMask, ...annotation }) => {
    const box = hasMask ? masks[next++] : undefined;
    return isBox(box) ? { ...annotation, box, hasMask: true } : annotation;
  });
}

function readNumbers(view: DataView, start: number): ImageAnnotation {
  const flags = view.getUint8(start + 1);
  return {
    id: flags & hasId ? view.getFloat64(start + 2, true) : null,
    category: view.getFloat64(start + 10, true),
    box: readBox(view, start + 18),
    crowd: (flags & isCrowd) !== 0,
    score: flags & hasScore ? view.getFloat64(start + numbersBytes, true) : undefined,
  };
}

function readBox(view: DataView, at: number): Box {
  return [
    view.getFloat64(at, true),
    view.getFloat64(at + 8, true),
    view.getFloat64(at + 16, true),
    view.getFloat64(at + 24, true),
  ];
}

function putJson(spool: GroupSpool, group: number, kind: number, value: unknown): void {
  const json = Buffer.from(JSON.stringify(value));
  const { view, at } = spool.reserve(group, json.length + 1);
  view.setUint8(at, kind);
  new Uint8Array(view.buffer).set(json, at + 1);
}

function readJson(view: DataView, start: number): unknown {
  return JSON.parse(Buffer.from(view.buffer, start + 1, spoolPayloadLength(view, start) - 1).toString());
}

/** Truncates an invalid box, which may be any value of any size; its beginning is enough for messages. */
function truncated(box: unknown): unknown {
  const json = JSON.stringify(box);
  return json !== undefined && json.length > longestBox ? json.slice(0, longestBox) : box;
}
