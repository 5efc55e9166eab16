import type { AnnotatedSet } from '../../records/annotated-set.js';
import type { ImageRecord } from '../../records/image.js';
import { MISSING_OBJECTS } from '../../records/missing-objects.js';
import type { Related } from '../../records/scene-graph.js';
import { openImagesCategories } from '../../sources/open-images-file.js';
import { readPsgNames } from '../../sources/psg.js';
import { readVg150Names } from '../../sources/vg150-file.js';
import { coco80Categories } from '../../vocabulary/categories.js';
import { hicoVerbs } from '../../vocabulary/hico.js';
import { vcocoVerbs } from '../../vocabulary/vcoco.js';

/** The labels that a model scores. */
export interface DataSetLabels {
  readonly objects: readonly string[];
  readonly predicates: readonly string[];
}

/**
 * Returns the labels of a data set in its official order: HICO-DET's 80 objects and 117 verbs, V-COCO's 81 and 29, and those of the
 * files of Open Images, VG150 and PSG. For other data sets they are the names in its records, sorted.
 *
 * @throws InputError if the files of the names cannot be read
 */
export async function dataSetLabels(
  set: AnnotatedSet,
  records: () => AsyncIterable<ImageRecord & Related>,
): Promise<DataSetLabels> {
  const coco = coco80Categories.map(({ name }) => name);
  if (set.hico) return { objects: coco, predicates: hicoVerbs };
  if (set.vcoco) return { objects: [...coco, MISSING_OBJECTS], predicates: vcocoVerbs.map(({ name }) => name) };
  if (set.openImages?.categories !== undefined) return openImagesCategories(set.openImages.categories);
  if (set.vg150) return readVg150Names(set.vg150.dicts);
  if (set.psg) return readPsgNames(set.psg.annotations);
  const [objects, predicates] = [new Set<string>(), new Set<string>()];
  for await (const { detections, relations } of records()) {
    for (const { category } of detections) objects.add(category);
    for (const { predicate } of relations) predicates.add(predicate);
  }
  return { objects: [...objects].sort(), predicates: [...predicates].sort() };
}
