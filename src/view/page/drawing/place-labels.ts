import { isWithin, type Rectangle, sharedArea } from './rectangle.js';

/** A place where a label may stand. */
export interface LabelPlace {
  /** The left edge, in pixels. */
  readonly x: number;
  /** The top edge, in pixels. */
  readonly y: number;
  /** How much worse it is than the best place of its label: 0 is the best. */
  readonly cost: number;
}

/** A label that wants a place. */
export interface LabelRequest {
  readonly width: number;
  readonly height: number;
  /** The places to choose from. */
  readonly places: readonly LabelPlace[];
  /** Labels with a higher priority stay when there is not enough room for all. */
  readonly priority: number;
}

/** The result for a label: its rectangle, or null where no place is free. */
export type PlacedLabel = Rectangle | null;

/** The cost of covering a small thing whole. */
const COVERED = 6;
/** Rounds in which labels that overlap may move. */
const ROUNDS = 4;
/** Places for which another label may be pushed away. */
const PUSHES = 16;
/** Labels that may be pushed in turn: fewer where there are many labels, of which most will have no room anyway. */
const chainFor = (labels: number): number => (labels <= 120 ? 2 : labels <= 250 ? 1 : 0);

/**
 * Gives labels places in which no two overlap. Labels take places in the order of their priority, each the cheapest that is
 * free; a label without a free place pushes one other label to a free place of that one, if it can. What still has no place
 * is left out, which concerns labels of low priority first. The result depends on the input alone.
 *
 * The choice among candidate positions is that of point-feature labeling (Christensen, Marks, Shieber: An empirical study of
 * algorithms for point-feature label placement, 1995).
 *
 * @param bounds labels stay within it
 * @param avoided small things that labels should not cover if they can be elsewhere
 * @returns for each request its rectangle, or null
 */
export function placeLabels(
  requests: readonly LabelRequest[],
  bounds: Rectangle,
  avoided: readonly Rectangle[] = [],
): PlacedLabel[] {
  const choices = requests.map((request) => choicesOf(request, bounds, avoided));
  const order = [...requests.keys()].sort((a, b) => requests[b]!.priority - requests[a]!.priority || a - b);
  const taken = new TakenPlaces();
  /** Labels of the present chain, whose places are not to be taken. */
  const pushed = new Set<number>();
  const chain = chainFor(requests.length);
  let waiting = order.filter((index) => !takeFree(index));
  for (let round = 0; round < ROUNDS && waiting.length > 0; round++) {
    const left = waiting.filter((index) => !takeFree(index) && !push(index, chain));
    if (left.length === waiting.length) break;
    waiting = left;
  }
  // Labels that gave way may have a better place again.
  for (const index of order) {
    const present = taken.of(index);
    if (!present) continue;
    taken.remove(index);
    if (!takeFree(index)) taken.add(index, present);
  }
  return requests.map((_, index) => {
    const place = taken.of(index);
    return place ? { x: place.x, y: place.y, width: place.width, height: place.height } : null;
  });

  /** Gives a label its cheapest free place. */
  function takeFree(index: number): boolean {
    const free = choices[index]!.find((choice) => taken.inTheWay(choice).length === 0);
    if (free) taken.add(index, free);
    return free !== undefined;
  }

  /** Gives a label a place that one other label holds, if that one finds a place elsewhere, by pushing in turn. */
  function push(index: number, chain: number): boolean {
    if (chain === 0) return false;
    for (const choice of choices[index]!.slice(0, PUSHES)) {
      const [other, more] = taken.inTheWay(choice);
      if (other === undefined || more !== undefined || pushed.has(other)) continue;
      pushed.add(index);
      const theirs = taken.of(other)!;
      taken.remove(other);
      taken.add(index, choice);
      const isDone = takeFree(other) || push(other, chain - 1);
      pushed.delete(index);
      if (isDone) return true;
      taken.remove(index);
      taken.add(other, theirs);
    }
    return false;
  }
}

interface Choice extends Rectangle {
  readonly cost: number;
}

/** Side of a cell, in pixels: a label touches few of them. */
const CELL = 64;

/** Places that labels hold, found by cells of the screen. */
class TakenPlaces {
  readonly #cells = new Map<number, Set<number>>();
  readonly #places = new Map<number, Choice>();

  of(index: number): Choice | undefined {
    return this.#places.get(index);
  }

  add(index: number, place: Choice): void {
    this.#places.set(index, place);
    for (const cell of cellsOf(place)) {
      const here = this.#cells.get(cell);
      if (here) here.add(index);
      else this.#cells.set(cell, new Set([index]));
    }
  }

  remove(index: number): void {
    const place = this.#places.get(index);
    if (!place) return;
    this.#places.delete(index);
    for (const cell of cellsOf(place)) this.#cells.get(cell)?.delete(index);
  }

  /** Returns the labels that overlap a place, up to two. */
  inTheWay(place: Rectangle): readonly number[] {
    const found: number[] = [];
    for (const cell of cellsOf(place))
      for (const index of this.#cells.get(cell) ?? []) {
        if (found.includes(index) || sharedArea(place, this.#places.get(index)!) === 0) continue;
        found.push(index);
        if (found.length === 2) return found;
      }
    return found;
  }
}

/** Returns the numbers of the cells that a place touches. */
function cellsOf({ x, y, width, height }: Rectangle): number[] {
  const cells: number[] = [];
  const [right, bottom] = [Math.floor((x + width) / CELL), Math.floor((y + height) / CELL)];
  for (let column = Math.floor(x / CELL); column <= right; column++)
    for (let row = Math.floor(y / CELL); row <= bottom; row++) cells.push(column * 65_536 + row);
  return cells;
}

/** Returns the places of a label within the bounds, the cheapest first. */
function choicesOf(
  { width, height, places }: LabelRequest,
  bounds: Rectangle,
  avoided: readonly Rectangle[],
): readonly Choice[] {
  return places
    .map(({ x, y, cost }) => {
      const place = { x, y, width, height };
      let covered = 0;
      for (const thing of avoided) covered += sharedArea(place, thing) / (thing.width * thing.height || 1);
      return { ...place, cost: cost + COVERED * covered };
    })
    .filter((place) => isWithin(place, bounds))
    .sort((a, b) => a.cost - b.cost);
}
