import type { Id } from '../records/image.js';
import type { SourceReject } from '../records/ports.js';
import { elementsOf, fieldsOf, isId, shown } from './json-value.js';

/** An object as Visual Genome has it. */
export interface GenomeObject {
  /** Null where the file gives none: no relation can point at it then. */
  readonly id: Id | null;
  readonly names: readonly string[];
  /** `[x, y, w, h]` in pixels; what stands in the file. */
  readonly box: readonly unknown[];
}

/** A relation as Visual Genome has it. */
export interface GenomeRelation {
  readonly subject: Id;
  readonly object: Id;
  readonly predicate: string;
}

/** What an image has in one of the files, in file order. */
export interface GenomeGraph {
  readonly objects: readonly GenomeObject[];
  readonly relations: readonly GenomeRelation[];
  readonly rejects: readonly SourceReject[];
}

/**
 * Reads an image's entry in `objects.json`, `scene_graphs.json` or `relationships.json`. In the last one relations carry
 * their objects, each of which comes out once.
 */
export function readGenomeEntry(image: Id, entry: unknown): GenomeGraph {
  const fields = fieldsOf(entry);
  const objects = elementsOf(fields['objects']).map(readObject);
  const relations: GenomeRelation[] = [];
  const rejects: SourceReject[] = [];
  const carried = new Map<Id, GenomeObject>();
  for (const element of elementsOf(fields['relationships'])) {
    const relation = fieldsOf(element);
    const [subject, object] = [endOf(relation['subject'], carried), endOf(relation['object'], carried)];
    const ends = { subject: subject ?? relation['subject_id'], object: object ?? relation['object_id'] };
    const { predicate } = relation;
    if (isId(ends.subject) && isId(ends.object) && typeof predicate === 'string') {
      relations.push({ subject: ends.subject, object: ends.object, predicate });
    } else {
      rejects.push({
        reason: 'malformed-relationship',
        message: `image ${image}: expected a predicate and the ids of two objects, found ${shown(element)}`,
        image,
        detail: { relationship: relation['relationship_id'] ?? null },
      });
    }
  }
  return { objects: [...objects, ...carried.values()], relations, rejects };
}

/** The id of an object that a relation carries, which is noted; undefined where it carries none. */
function endOf(value: unknown, carried: Map<Id, GenomeObject>): Id | undefined {
  const object = readObject(value);
  if (object.id === null) return undefined;
  if (!carried.has(object.id)) carried.set(object.id, object);
  return object.id;
}

/** Names stand in a list under `names`, in older files in a text under `name` or `names`. */
function readObject(value: unknown): GenomeObject {
  const { object_id: id, names, name, x, y, w, h } = fieldsOf(value);
  const written = Array.isArray(names) ? names : [names ?? name];
  return { id: isId(id) ? id : null, names: written.filter((n) => typeof n === 'string'), box: [x, y, w, h] };
}
