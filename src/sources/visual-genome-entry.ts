import { IdMap, IdSet } from '../files/id-map.js';
import { elementsOf, fieldsOf, formatJsonValue, readId } from '../files/json/json-value.js';
import type { Id } from '../records/image.js';
import type { SourceReject } from '../records/ports.js';

/** An object in Visual Genome's format. */
export interface GenomeObject {
  /** Null if the file has none; relations cannot refer to such an object. */
  readonly id: Id | null;
  readonly names: readonly string[];
  /** `[x, y, w, h]` in pixels, as written in the file and unchecked. */
  readonly box: readonly unknown[];
  /** The ids of other objects that are the same one; relations may refer to it by these. */
  readonly merged?: readonly Id[];
}

/** A relation in Visual Genome's format. */
export interface GenomeRelation {
  readonly subject: Id;
  readonly object: Id;
  readonly predicate: string;
  /** The confidence of a tagger; omitted if people annotated the relation. */
  readonly confidence?: number;
}

/** The objects and relations of an image, in file order. */
export interface GenomeGraph {
  readonly objects: readonly GenomeObject[];
  /** Objects that only occur inside relations, each one once. */
  readonly embedded: readonly GenomeObject[];
  readonly relations: readonly GenomeRelation[];
  readonly rejects: readonly SourceReject[];
  /** True if the whole image is rejected. */
  readonly rejected: boolean;
}

/**
 * Parses the entry of an image in `objects.json`, `scene_graphs.json` or `relationships.json`. Relations may contain
 * their objects, as in `relationships.json`.
 */
export function readGenomeEntry(image: Id, entry: unknown): GenomeGraph {
  const fields = fieldsOf(entry);
  const objects = elementsOf(fields['objects']).map(readObject);
  const embedded: GenomeObject[] = [];
  const relations: GenomeRelation[] = [];
  const rejects: SourceReject[] = ['objects', 'relationships']
    .filter((list) => fields[list] !== undefined && !Array.isArray(fields[list]))
    .map((list) => ({
      reason: `malformed-${list}`,
      message: `image ${image}: ${list} is ${formatJsonValue(fields[list])}, expected a list`,
      image,
    }));
  const rejected = rejects.length > 0;
  for (const element of elementsOf(fields['relationships'])) {
    const relation = fieldsOf(element);
    const [subject, object] = [
      embeddedObjectId(relation['subject'], embedded),
      embeddedObjectId(relation['object'], embedded),
    ];
    const ends = {
      subject: subject ?? readId(relation['subject_id']),
      object: object ?? readId(relation['object_id']),
    };
    const { predicate, confidence } = relation;
    if (ends.subject !== undefined && ends.object !== undefined && typeof predicate === 'string') {
      const found = { subject: ends.subject, object: ends.object, predicate };
      relations.push(isFraction(confidence) ? { ...found, confidence } : found);
    } else {
      rejects.push({
        reason: 'malformed-relationship',
        message: `image ${image}: expected a predicate and the ids of two objects, found ${formatJsonValue(element)}`,
        image,
        detail: { relationship: relation['relationship_id'] ?? null },
      });
    }
  }
  return { objects, embedded: objectsNotIn(objects, embedded), relations, rejects, rejected };
}

const isFraction = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1;

/** Returns the objects whose ids do not occur among `others`, and only the first object of each id. */
export function objectsNotIn(others: readonly GenomeObject[], objects: readonly GenomeObject[]): GenomeObject[] {
  const ids = new Set(others.map(({ id }) => id));
  return objects.filter(({ id }) => id === null || ids.size !== ids.add(id).size);
}

/**
 * Redirects relations from merged objects, which `merged_object_ids` of another object list, to that object, and drops
 * the copies of merged objects inside relations.
 * @param count called with `merged-object` for each end of a relation that is redirected
 */
export function withoutMergedObjects(graph: GenomeGraph, count: (name: string) => void): GenomeGraph {
  const listed = new IdSet();
  for (const { id } of graph.objects) listed.add(id);
  const into = new IdMap<Id>();
  for (const { id, merged = [] } of [...graph.objects, ...graph.embedded]) {
    for (const other of merged) {
      if (id !== null && other !== id && !listed.has(other) && !into.has(other) && !into.has(id)) into.set(other, id);
    }
  }
  if (into.size === 0) return graph;
  const redirect = (id: Id): Id => {
    const target = into.get(id);
    if (target !== undefined) count('merged-object');
    return target ?? id;
  };
  return {
    ...graph,
    embedded: graph.embedded.filter(({ id }) => !into.has(id)),
    relations: graph.relations.map((relation) => ({
      ...relation,
      subject: redirect(relation.subject),
      object: redirect(relation.object),
    })),
  };
}

/** Adds an object inside a relation to `embedded` and returns its id; undefined if the relation has none. */
function embeddedObjectId(value: unknown, embedded: GenomeObject[]): Id | undefined {
  const object = readObject(value);
  if (object.id === null) return undefined;
  embedded.push(object);
  return object.id;
}

/** Parses an object. Its names are a list in `names`, or in older files a string in `name` or `names`. */
function readObject(value: unknown): GenomeObject {
  const { object_id: id, names, name, merged_object_ids: mergedIds, x, y, w, h } = fieldsOf(value);
  const written = Array.isArray(names) ? names : [names ?? name];
  const merged = elementsOf(mergedIds).flatMap((other) => readId(other) ?? []);
  return {
    id: readId(id) ?? null,
    names: written.filter((n) => typeof n === 'string'),
    box: [x, y, w, h],
    ...(merged.length > 0 && { merged }),
  };
}
