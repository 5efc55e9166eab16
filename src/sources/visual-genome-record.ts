import { IdMap } from '../files/id-map.js';
import type { Image, ImageRecord, Origin } from '../records/image.js';
import type { SourceItem } from '../records/ports.js';
import type { Related, Relation } from '../records/scene-graph.js';
import { filterDetections, type RawDetection } from './filter-detections.js';
import { unusedIds } from './unused-ids.js';
import {
  type GenomeGraph,
  type GenomeObject,
  type GenomeRelation,
  withoutMergedObjects,
} from './visual-genome-entry.js';
import { type PreprocessOptions, preprocessGenome } from './visual-genome-preprocess.js';

/**
 * Converts the graph of an image to a record, in which relations refer to detections by index. Relations of a dropped
 * detection, relations of a detection with itself and, with preprocessing, duplicate relations are counted and dropped.
 * @param steps options of the preprocessing; null for none
 */
export function genomeRecord(
  written: GenomeGraph,
  image: Image,
  origin: Origin,
  steps: PreprocessOptions | null,
): SourceItem<ImageRecord & Related> {
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const graph = withoutMergedObjects(written, count);
  const added = graph.embedded.length;
  const { objects, relations } = preprocessGenome(graph, steps, count);
  const nextUnusedId = unusedIds(objects);
  const raw = objects.map(({ id, names, box }): RawDetection => {
    return { id: id ?? nextUnusedId(), category: names[0] || null, box, crowd: false };
  });
  const filtered = filterDetections(raw, image, false, steps === null);
  const record = {
    image,
    detections: filtered.detections,
    origin,
    relations: indexRelations(objects, relations, filtered.kept, steps !== null, count),
    tagger: null,
  };
  return {
    record,
    rejects: [...graph.rejects, ...filtered.rejects],
    counts: { ...filtered.counts, ...counts, ...(added > 0 && { 'object-from-relationship': added }) },
  };
}

function indexRelations(
  objects: readonly GenomeObject[],
  relations: readonly GenomeRelation[],
  kept: Int32Array,
  distinct: boolean,
  count: (name: string) => void,
): Relation[] {
  const indices = new IdMap<number>();
  for (const [index, { id }] of objects.entries()) {
    if (id !== null && !indices.has(id)) indices.set(id, kept[index] as number);
  }
  const seen = new Set<string>();
  const found: Relation[] = [];
  for (const { subject: from, object: to, predicate, confidence } of relations) {
    const subject = indices.get(from) ?? -1;
    const object = indices.get(to) ?? -1;
    if (subject < 0 || object < 0) count('relation-of-dropped-box');
    else if (subject === object) count('self-relation');
    else if (distinct && seen.size === seen.add(JSON.stringify([subject, object, predicate])).size) {
      count('duplicate-relation');
    } else found.push({ subject, object, predicate, ...(confidence !== undefined && { confidence }) });
  }
  return found;
}
