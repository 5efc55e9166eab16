import { type Arrow, pointOn } from './arrow.js';
import type { LabelPlace } from './place-labels.js';
import type { Rectangle } from './rectangle.js';

/** The size of a label, in pixels. */
interface LabelSize {
  readonly width: number;
  readonly height: number;
}

/** Returns the places of a box's label, the best first: over its top left corner, inside it, along its edges, then farther out. */
export function boxLabelPlaces(box: Rectangle, { width, height }: LabelSize): LabelPlace[] {
  const right = box.x + box.width - width;
  const middle = box.x + (box.width - width) / 2;
  const bottom = box.y + box.height;
  const places: LabelPlace[] = [];
  const add = (x: number, y: number, cost: number) => places.push({ x, y, cost });
  add(box.x, box.y - height, 0);
  // Inside only where the box is larger than its label.
  if (box.width > width * 1.15 && box.height > height * 2) {
    add(box.x, box.y, 0.4);
    add(right, box.y, 1.2);
    add(box.x, bottom - height, 1.4);
    add(right, bottom - height, 1.6);
  }
  add(right, box.y - height, 1);
  add(middle, box.y - height, 1);
  add(box.x, bottom, 1.2);
  add(right, bottom, 1.5);
  add(middle, bottom, 1.5);
  add(box.x - width, box.y, 2);
  add(box.x + box.width, box.y, 2);
  add(box.x - width, bottom - height, 2.2);
  add(box.x + box.width, bottom - height, 2.2);
  add(box.x - width, box.y + (box.height - height) / 2, 2.3);
  add(box.x + box.width, box.y + (box.height - height) / 2, 2.3);
  for (const ring of [1, 2, 3, 4, 5]) {
    const far = ring * (height + 2);
    add(box.x, box.y - height - far, 3 + ring);
    add(right, box.y - height - far, 3.2 + ring);
    add(box.x, bottom + far, 3.3 + ring);
    add(right, bottom + far, 3.5 + ring);
    add(box.x - width - far / 2, box.y - far, 3.6 + ring);
    add(box.x + box.width + far / 2, box.y - far, 3.6 + ring);
  }
  return places;
}

/** Returns the places of a predicate's label, the best first: on the middle of its arrow, along it, then next to it. */
export function arrowLabelPlaces(arrow: Arrow, { width, height }: LabelSize): LabelPlace[] {
  const places: LabelPlace[] = [];
  for (const [rank, t] of [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82].entries()) {
    const { x, y } = pointOn(arrow, t);
    places.push({ x: x - width / 2, y: y - height / 2, cost: 0.35 * rank });
    for (const side of [-1, 1]) {
      places.push({ x: x - width / 2, y: y - height / 2 + side * (height + 1), cost: 3 + 0.4 * rank });
      places.push({ x: x - width / 2 + side * (width / 2 + 6), y: y - height / 2, cost: 3.2 + 0.4 * rank });
      for (const far of [2, 3, 4])
        places.push({ x: x - width / 2, y: y - height / 2 + far * side * (height + 1), cost: 3 + far + 0.4 * rank });
    }
  }
  return places;
}
