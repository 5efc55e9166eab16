import type { Box } from '../records/box.js';
import type { Id } from '../records/image.js';
import type { Aliases } from './visual-genome-aliases.js';
import type { GenomeGraph, GenomeObject, GenomeRelation } from './visual-genome-entry.js';

/** What the steps need to know. */
export interface PreprocessOptions {
  readonly objectAliases: Aliases;
  readonly relationshipAliases: Aliases;
  /** How many relations an image keeps at most. */
  readonly maxRelations: number;
}

type ObjectPair = readonly [GenomeObject, GenomeObject];

const nearIou = 0.7;

/**
 * RLIPv2's preprocessing of an image's graph, in its order:
 *
 * 1. names and predicates in lower case and trimmed
 * 2. `duplicate-relation`: subject, object and predicate are those of an earlier relation
 * 3. an object's first name is its name
 * 4. `near-duplicate-relation`: an earlier relation has the same names and predicate, aliases counting as one, and both
 *    boxes have an IoU of 0.7 or more with its boxes
 * 5. `relation-limit`: the first `maxRelations` stay
 *
 * A relation without a predicate (`empty-predicate`), or of an object that the files lack (`unknown-object`), is left
 * out. Relations are counted by these names. The official step that drops rare names is not here: it is off by default
 * there too.
 *
 * @param options null for an object's first name only, as written, and every relation that has its predicate and objects
 * Source: RLIPv2, datasets/vg.py
 */
export function preprocessGenome(
  graph: Pick<GenomeGraph, 'objects' | 'relations'>,
  options: PreprocessOptions | null,
  count: (name: string) => void,
): Pick<GenomeGraph, 'objects' | 'relations'> {
  const normalize = options ? (text: string) => text.toLowerCase().trim() : (text: string) => text;
  const objects = graph.objects.map((object) => ({ ...object, names: object.names.slice(0, 1).map(normalize) }));
  const byId = new Map<Id | null, GenomeObject>();
  for (const object of objects) if (!byId.has(object.id)) byId.set(object.id, object);

  const exact = new Set<string>();
  const near = new Map<string, ObjectPair[]>();
  const relations: GenomeRelation[] = [];
  for (const relation of graph.relations) {
    const { subject, object } = relation;
    const predicate = normalize(relation.predicate);
    const [from, to] = [byId.get(subject), byId.get(object)];
    if (predicate === '') count('empty-predicate');
    else if (!from || !to) count('unknown-object');
    else if (options) {
      if (exact.size === exact.add(JSON.stringify([subject, object, predicate])).size) count('duplicate-relation');
      else if (relations.length === options.maxRelations) count('relation-limit');
      else if (isNearDuplicate(near, [from, to], predicate, options)) count('near-duplicate-relation');
      else relations.push({ ...relation, predicate });
    } else relations.push({ ...relation, predicate });
  }
  return { objects, relations };
}

/** Overlap as VG's tools count it: a box from 0 to 9 has 10 pixels. Boxes as `[x, y, w, h]`. */
export function pixelIou(a: Box, b: Box): number {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]) + 1;
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]) + 1;
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / ((a[2] + 1) * (a[3] + 1) + (b[2] + 1) * (b[3] + 1) - w * h);
}

/** Whether an earlier relation is nearly the same; if none is, this one is noted. */
function isNearDuplicate(
  earlier: Map<string, ObjectPair[]>,
  ends: ObjectPair,
  predicate: string,
  { objectAliases, relationshipAliases }: PreprocessOptions,
): boolean {
  const names = ends.map(({ names: [name = ''] }) => objectAliases.get(name) ?? name);
  const key = JSON.stringify([...names, relationshipAliases.get(predicate) ?? predicate]);
  const same = earlier.get(key);
  if (same?.some((others) => others.every((other, i) => boxesNearlyEqual(other, ends[i] as GenomeObject)))) return true;
  if (same) same.push(ends);
  else earlier.set(key, [ends]);
  return false;
}

function boxesNearlyEqual(a: GenomeObject, b: GenomeObject): boolean {
  // A box that is not of four numbers gives NaN, which is not near anything.
  return pixelIou(a.box as unknown as Box, b.box as unknown as Box) >= nearIou;
}
