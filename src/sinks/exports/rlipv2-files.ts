import { OutputError } from '../../errors.js';
import { officialGroups } from '../../records/candidate-groups.js';
import type { CandidateSet, SceneGraph } from '../../records/scene-graph.js';

export interface Rlipv2Options {
  /** Leaves out relations with a lower confidence; relations of people always stay. In [0, 1]; default 0. */
  readonly minConfidence?: number;
}

/** First ids of the official files, by data set. Source: RLIPv2, generate_relations_using_verb_tagger.py. */
const FIRST_IDS: Readonly<Record<string, number>> = { coco2017: 10_000_000, o365: 20_000_000 };

/**
 * Scene graphs as the JSON list that RLIPv2 trains on: Visual Genome's form with `names` as one string, and for
 * pseudo-labels `dataset`, `data_split` and each relation's `confidence`. All objects of an image stand in it, in order.
 * Ids go up through the whole file, where the official ones begin anew with each part.
 *
 * Source: RLIPv2, `pseudo annotations` of generate_relations_using_verb_tagger.py; Visual Genome v1.4.
 */
export async function* rlipv2Annotations(
  graphs: AsyncIterable<SceneGraph>,
  { minConfidence = 0 }: Rlipv2Options = {},
): AsyncGenerator<string, void> {
  const nextObject = new Map<string, number>();
  const nextRelation = new Map<string, number>();
  let separator = '[';
  for await (const { image, objects, relations } of graphs) {
    const { dataset, split } = image;
    const first = FIRST_IDS[dataset] ?? 0;
    const objectBase = nextObject.get(dataset) ?? first;
    const relationBase = nextRelation.get(dataset) ?? first;
    const kept = relations.filter((relation) => (relation.confidence ?? 1) >= minConfidence);
    nextObject.set(dataset, objectBase + objects.length);
    nextRelation.set(dataset, relationBase + kept.length);
    // The official loader knows Visual Genome by the absence of these two.
    const labels = dataset === 'vg' ? {} : { dataset, data_split: split };
    const entry = {
      image_id: image.id,
      ...labels,
      objects: objects.map(({ category, box: [x, y, w, h] }, index) => ({
        object_id: objectBase + index,
        x,
        y,
        w,
        h,
        names: category,
      })),
      relationships: kept.map(({ subject, object, predicate, confidence }, index) => ({
        relationship_id: relationBase + index,
        predicate,
        subject_id: objectBase + subject,
        object_id: objectBase + object,
        ...(confidence !== undefined && { confidence }),
      })),
    };
    yield `${separator}${JSON.stringify(entry)}`;
    separator = ',\n';
  }
  yield separator === '[' ? '[]\n' : ']\n';
}

/**
 * Candidates as the official tagger reads them: `{"<image id>": [[[[subject, object], …], ["text", …]], …]}`, images in
 * the order of the run.
 *
 * @throws OutputError where two images have one id
 * Source: RLIPv2, datasets/rlipv2_helper/BLIP_coco_caption_helper.py.
 */
export function rlipv2Candidates(sets: AsyncIterable<CandidateSet>, file: string): AsyncGenerator<string, void> {
  return byImage(sets, ({ candidates }) => officialGroups(candidates), file);
}

/**
 * Where the images of a set lie, `{"<image id>": "train/patch16/….jpg"}`, as the official Objects365 loader wants it.
 *
 * @throws OutputError where two images have one id
 */
export function rlipv2FilePaths(graphs: AsyncIterable<SceneGraph>, file: string): AsyncGenerator<string, void> {
  return byImage(graphs, ({ image }) => (image.split === '' ? image.file : `${image.split}/${image.file}`), file);
}

/**
 * One JSON object with a value for each image, by its id.
 *
 * @throws OutputError where two images have one id, as those of merged sets may: a reader would see the last one alone
 */
async function* byImage<R extends Pick<SceneGraph, 'image'>>(
  records: AsyncIterable<R>,
  value: (record: R) => unknown,
  file: string,
): AsyncGenerator<string, void> {
  const datasets = new Map<string, string>();
  for await (const record of records) {
    const { id, dataset } = record.image;
    const key = String(id);
    const other = datasets.get(key);
    if (other !== undefined) {
      throw new OutputError(file, `two images have the id ${id}, of ${other} and of ${dataset}, and ids are its keys`);
    }
    yield `${datasets.size === 0 ? '{' : ',\n'}${JSON.stringify(key)}: ${JSON.stringify(value(record))}`;
    datasets.set(key, dataset);
  }
  yield datasets.size === 0 ? '{}\n' : '}\n';
}

/**
 * How often each category and predicate occurs, most frequent first: the official `keep_names_freq` files.
 *
 * Source: RLIPv2, generate_relations_using_verb_tagger.py.
 */
export async function* rlipv2Frequencies(
  graphs: AsyncIterable<SceneGraph>,
  { minConfidence = 0 }: Rlipv2Options = {},
): AsyncGenerator<string, void> {
  const objects = new Map<string, number>();
  const predicates = new Map<string, number>();
  for await (const graph of graphs) {
    for (const { category } of graph.objects) objects.set(category, (objects.get(category) ?? 0) + 1);
    for (const { predicate, confidence } of graph.relations) {
      if ((confidence ?? 1) >= minConfidence) predicates.set(predicate, (predicates.get(predicate) ?? 0) + 1);
    }
  }
  const relationFrequencies = byFrequency(predicates);
  const objectFrequencies = byFrequency(objects);
  // Objects with names like "1" would come out of order as plain objects do, so the pairs are written by hand.
  const names = (of: readonly (readonly [string, number])[]) => JSON.stringify(of.map(([name]) => name));
  const counts = (of: readonly (readonly [string, number])[]) =>
    `{${of.map(([name, count]) => `${JSON.stringify(name)}: ${count}`).join(', ')}}`;
  yield `{"relationship_names": ${names(relationFrequencies)},\n"object_names": ${names(objectFrequencies)},\n`;
  yield `"relationship_freq": ${counts(relationFrequencies)},\n"object_freq": ${counts(objectFrequencies)}}\n`;
}

function byFrequency(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
