import { addToList } from '../../records/add-to-list.js';
import { iou } from '../../records/box.js';
import type { Detection } from '../../records/image.js';
import type { SceneGraph } from '../../records/scene-graph.js';

/** Boxes of one category that overlap as much are the same object. */
const SAME_OBJECT = 0.5;

type Graph = Pick<SceneGraph, 'objects' | 'relations'>;

/**
 * Finds the relations that two graphs of an image have in common: the same predicate between the same objects.
 * @returns for each relation of each graph the index in the other one, or null
 */
export function matchGraphs(
  here: Graph,
  there: Graph,
): { readonly hereToThere: readonly (number | null)[]; readonly thereToHere: readonly (number | null)[] } {
  const objects = matchObjects(here.objects, there.objects);
  const byKey = new Map<string, number[]>();
  for (const [place, { subject, predicate, object }] of there.relations.entries()) {
    const key = JSON.stringify([subject, predicate, object]);
    addToList(byKey, key, place);
  }
  const thereToHere = new Array<number | null>(there.relations.length).fill(null);
  const hereToThere = here.relations.map(({ subject, predicate, object }, place) => {
    const other = object === null ? null : objects[object];
    const key = JSON.stringify([objects[subject], predicate, other]);
    const found = other === undefined ? undefined : byKey.get(key)?.shift();
    if (found !== undefined) thereToHere[found] = place;
    return found ?? null;
  });
  return { hereToThere, thereToHere };
}

/**
 * Returns for each object the same one of another set; undefined if it has none. Two runs over one set have the same ids; for
 * others, the boxes of a category that overlap most are the same, each once.
 */
function matchObjects(here: readonly Detection[], there: readonly Detection[]): (number | undefined)[] {
  const found = new Array<number | undefined>(here.length).fill(undefined);
  const taken = new Set<number>();
  const byId = new Map(there.map(({ id }, place) => [id, place]));
  for (const [place, { id, category, box }] of here.entries()) {
    const other = byId.get(id);
    if (other === undefined || taken.has(other)) continue;
    const same = there[other]!;
    if (same.category !== category || iou(same.box, box) < SAME_OBJECT) continue;
    found[place] = other;
    taken.add(other);
  }
  const pairs = here.flatMap(({ category, box }, place) =>
    found[place] !== undefined
      ? []
      : there.flatMap((one, other) => {
          const overlap = taken.has(other) || one.category !== category ? 0 : iou(one.box, box);
          return overlap >= SAME_OBJECT ? [{ place, other, overlap }] : [];
        }),
  );
  for (const { place, other } of pairs.sort((a, b) => b.overlap - a.overlap)) {
    if (found[place] !== undefined || taken.has(other)) continue;
    found[place] = other;
    taken.add(other);
  }
  return found;
}
