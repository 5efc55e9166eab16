import type { ImageObject, RelationRef } from '../../view-api.js';
import { type Arrow, arrowBetween } from './arrow.js';
import { arrowLabelPlaces, boxLabelPlaces } from './label-places.js';
import type { Size, View } from './pan-zoom.js';
import { type LabelRequest, type PlacedLabel, placeLabels } from './place-labels.js';
import { areaOf, type Rectangle } from './rectangle.js';

/** A relation to draw. */
export interface SceneRelation extends RelationRef {
  /** Names it among the relations of the scene. */
  readonly key: string;
  /** How it is drawn: `scene.css` has a rule for each. */
  readonly look: 'plain' | 'approved' | 'rejected' | 'changed' | 'added' | 'unsure' | 'candidate' | 'only' | 'quiet';
}

/** A box on the screen with its label. */
interface DrawnBox {
  readonly index: number;
  readonly rectangle: Rectangle;
  readonly text: string;
  /** Null where the label has no room. */
  readonly label: PlacedLabel;
}

/** A relation on the screen; one without an object has no arrow. */
export interface DrawnRelation {
  readonly relation: SceneRelation;
  readonly arrow: Arrow | null;
  readonly text: string;
  readonly label: PlacedLabel;
}

/** A picture's boxes and relations in CSS pixels. */
export interface DrawnScene {
  readonly boxes: readonly DrawnBox[];
  readonly relations: readonly DrawnRelation[];
  /** Number of labels without room. */
  readonly hidden: number;
  /** Whether boxes have their number only. */
  readonly isShort: boolean;
}

/** What labels of boxes say: numbers and names, numbers alone, nothing; or names where they leave enough of the picture free. */
export type LabelMode = 'auto' | 'names' | 'numbers' | 'none';

/** What is drawn of an image. */
export interface SceneContents {
  /** The picture's pixels. */
  readonly size: Size;
  readonly objects: readonly ImageObject[];
  readonly relations: readonly SceneRelation[];
  /** Objects that are lit: their labels have priority. */
  readonly litObjects: ReadonlySet<number>;
  /** The relation that is lit; null if none is. */
  readonly litRelation: string | null;
  readonly labels: LabelMode;
}

const LABEL_HEIGHT = 17;
const PADDING = 5;
/** The share of the picture that names of boxes may cover. */
const COVERED = 0.1;
/** Characters of a name or predicate that a label shows. */
const MOST_CHARACTERS = 32;

/**
 * Lays out a scene for a view of its picture.
 *
 * @param screen the part of the screen that shows the picture; labels stay within it
 * @param widthOf width of a text in the labels' font, in CSS pixels
 */
export function layOutScene(
  { size, objects, relations, litObjects, litRelation, labels }: SceneContents,
  view: View,
  screen: Rectangle,
  widthOf: (text: string) => number,
): DrawnScene {
  const rectangles = objects.map(({ box: [x, y, width, height] }) => ({
    x: view.x + view.scale * x,
    y: view.y + view.scale * y,
    width: view.scale * width,
    height: view.scale * height,
  }));
  const arrows = relationArrows(relations, rectangles);
  if (labels === 'none')
    return {
      boxes: rectangles.map((rectangle, index) => ({ index, rectangle, text: '', label: null })),
      relations: relations.map((relation, at) => ({ relation, arrow: arrows[at]!, text: '', label: null })),
      hidden: 0,
      isShort: false,
    };
  const names = objects.map(({ category }, index) => `${index} ${shortened(category)}`);
  const isShort = labels === 'numbers' || (labels === 'auto' && coverTooMuch());
  const boxTexts = names.map((name, index) => (isShort && !litObjects.has(index) ? String(index) : name));
  const requests: LabelRequest[] = [
    ...boxTexts.map((text, index) => {
      const space = { width: widthOf(text) + 2 * PADDING, height: LABEL_HEIGHT };
      // A lit box goes first, then small ones, which are hard to tell apart without their label.
      const priority = litObjects.has(index) ? 300 : 100 - Math.log(1 + areaOf(rectangles[index]!));
      return { ...space, priority, places: boxLabelPlaces(rectangles[index]!, space) };
    }),
    ...relations.map(({ key, look, predicate, object, subject }, at) => {
      const space = { width: widthOf(shortened(predicate)) + 2 * PADDING, height: LABEL_HEIGHT };
      const arrow = arrows[at];
      const places = arrow ? arrowLabelPlaces(arrow, space) : boxLabelPlaces(rectangles[subject]!, space);
      const isLit = key === litRelation;
      // Quiet relations have a label only while they are lit.
      if (look === 'quiet' && !isLit) return { ...space, priority: 0, places: [] };
      const priority = isLit ? 400 : object !== null && litObjects.has(subject) && litObjects.has(object) ? 200 : 60;
      return { ...space, priority, places };
    }),
  ];
  const small = rectangles.filter((box) => areaOf(box) < 2500 && areaOf(box) > 0);
  const placed = placeLabels(requests, screen, small);
  return {
    boxes: rectangles.map((rectangle, index) => ({
      index,
      rectangle,
      text: boxTexts[index]!,
      label: placed[index] ?? null,
    })),
    relations: relations.map((relation, at) => ({
      relation,
      arrow: arrows[at]!,
      text: shortened(relation.predicate),
      label: placed[objects.length + at] ?? null,
    })),
    hidden: placed.filter((label, at) => label === null && requests[at]!.places.length > 0 && isOnScreen(at)).length,
    isShort,
  };

  /** Depends on the magnification alone, not on what else is on the screen: the legend comes and goes with it. */
  function coverTooMuch(): boolean {
    const covered = names.reduce((sum, name) => sum + (widthOf(name) + 2 * PADDING) * LABEL_HEIGHT, 0);
    return covered > COVERED * view.scale ** 2 * size.width * size.height;
  }

  function isOnScreen(at: number): boolean {
    const { subject } = relations[at - objects.length] ?? { subject: at };
    const { x, y, width, height } = rectangles[subject]!;
    return x < screen.x + screen.width && y < screen.y + screen.height && x + width > screen.x && y + height > screen.y;
  }
}

/**
 * Returns a scene in a new view with the labels of an earlier one, which keep their places in the picture.
 *
 * @param labelled the scene in the earlier view, with labels
 * @param bare the same scene in the new view, without
 */
export function moveLabels(labelled: DrawnScene, bare: DrawnScene, before: View, now: View): DrawnScene {
  const ratio = now.scale / before.scale;
  const move = (label: PlacedLabel): PlacedLabel => {
    if (!label) return null;
    const { width, height } = label;
    const x = now.x + ratio * (label.x + width / 2 - before.x) - width / 2;
    return { x, y: now.y + ratio * (label.y + height / 2 - before.y) - height / 2, width, height };
  };
  return {
    ...labelled,
    boxes: bare.boxes.map((box, at) => ({
      ...box,
      text: labelled.boxes[at]?.text ?? '',
      label: move(labelled.boxes[at]?.label ?? null),
    })),
    relations: bare.relations.map((relation, at) => ({
      ...relation,
      text: labelled.relations[at]?.text ?? '',
      label: move(labelled.relations[at]?.label ?? null),
    })),
  };
}

/** Returns the arrows of relations; those between the same boxes bend by different amounts. */
function relationArrows(relations: readonly SceneRelation[], boxes: readonly Rectangle[]): (Arrow | null)[] {
  const ranks = new Map<string, number>();
  return relations.map(({ subject, object }) => {
    const [from, to] = [boxes[subject], object === null ? undefined : boxes[object]];
    if (!from || !to) return null;
    const pair = `${subject} ${object}`;
    const rank = ranks.get(pair) ?? 0;
    ranks.set(pair, rank + 1);
    return arrowBetween(from, to, rank);
  });
}

/** Returns the beginning of a text that is too long for a label. */
export const shortened = (text: string): string =>
  text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text;

/** Returns the index of the smallest box at a point, in pixels of the picture; null if there is none. */
export function objectAt(objects: readonly ImageObject[], x: number, y: number): number | null {
  let [found, least]: [number | null, number] = [null, Number.POSITIVE_INFINITY];
  for (const [index, { box }] of objects.entries()) {
    const [left, top, width, height] = box;
    if (x < left || y < top || x > left + width || y > top + height || width * height >= least) continue;
    [found, least] = [index, width * height];
  }
  return found;
}
