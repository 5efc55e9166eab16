import { IdMap } from '../files/id-map.js';
import type { Box } from '../records/box.js';
import type { Aliases } from './visual-genome-aliases.js';
import type { GenomeGraph, GenomeObject, GenomeRelation } from './visual-genome-entry.js';

/** Options of `preprocessGenome`. */
export interface PreprocessOptions {
  readonly objectAliases: Aliases;
  readonly relationshipAliases: Aliases;
  /** The maximum number of relations per image. */
  readonly maxRelations: number;
  /** The names and predicates whose relations are kept; omitted to keep those of all. */
  readonly frequent?: FrequentNames;
}

/** Names that are frequent enough in a data set. */
export interface FrequentNames {
  readonly objects: ReadonlySet<string>;
  readonly predicates: ReadonlySet<string>;
}

type ObjectPair = readonly [GenomeObject, GenomeObject];

const nearIou = 0.7;

/**
 * Preprocesses the graph of an image with the steps of RLIPv2, in its order:
 *
 * 1. Names and predicates are lower-cased and trimmed.
 * 2. `duplicate-relation`: a relation with the subject, object and predicate of an earlier relation is dropped.
 * 3. The first name of an object becomes its name.
 * 4. `near-duplicate-relation`: a relation is dropped if an earlier one has the same names and predicate (aliases are
 *    equal) and both its boxes have an IoU of 0.7 or more with those of the earlier one.
 * 5. `relation-limit`: only the first `maxRelations` relations are kept.
 * 6. With `frequent`: relations with another predicate (`rare-predicate`), or else with the name of an object that is
 *    not frequent (`rare-category`), are dropped. Objects are kept.
 *
 * Relations without a predicate (`empty-predicate`) or with an object that the files lack (`unknown-object`) are
 * dropped. Dropped relations are counted by these names.
 *
 * @param options null to keep only the first name of each object, unchanged, and all relations with predicate and
 * objects
 * Source: RLIPv2, datasets/vg.py
 */
export function preprocessGenome(
  graph: Pick<GenomeGraph, 'objects' | 'embedded' | 'relations'>,
  options: PreprocessOptions | null,
  count: (name: string) => void,
): Pick<GenomeGraph, 'objects' | 'relations'> {
  const normalize = options ? (text: string) => text.toLowerCase().trim() : (text: string) => text;
  const objects = [...graph.objects, ...graph.embedded].map((object) => ({
    ...object,
    names: object.names.slice(0, 1).map(normalize),
  }));
  const byId = new IdMap<GenomeObject>();
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
  return options?.frequent
    ? { objects, relations: withFrequentNames(relations, byId, options.frequent, count) }
    : { objects, relations };
}

function withFrequentNames(
  relations: readonly GenomeRelation[],
  byId: IdMap<GenomeObject>,
  { objects, predicates }: FrequentNames,
  count: (name: string) => void,
): GenomeRelation[] {
  return relations.filter(({ subject, object, predicate }) => {
    if (!predicates.has(predicate)) count('rare-predicate');
    else if ([subject, object].some((id) => !objects.has(byId.get(id)?.names[0] ?? ''))) count('rare-category');
    else return true;
    return false;
  });
}

/** Returns the IoU of two boxes `[x, y, w, h]` as VG's tools compute it: a box from 0 to 9 is 10 pixels wide. */
export function pixelIou(a: Box, b: Box): number {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]) + 1;
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]) + 1;
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / ((a[2] + 1) * (a[3] + 1) + (b[2] + 1) * (b[3] + 1) - w * h);
}

/** Returns whether an earlier relation is a near duplicate; if there is none, adds this relation to `earlier`. */
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
  // A box that does not consist of four numbers gives NaN, for which the comparison is false.
  return pixelIou(a.box as unknown as Box, b.box as unknown as Box) >= nearIou;
}
