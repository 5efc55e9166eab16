import { OutputError } from '../../errors.js';
import { officialGroups } from '../../records/candidate-groups.js';
import { increment } from '../../records/increment.js';
import type { CandidateSet, SceneGraph } from '../../records/scene-graph.js';
import type { ExportInput } from './export-format.js';
import { pairRelations } from './pair-relations.js';

/** First ids in the official files, by data set. Source: RLIPv2, generate_relations_using_verb_tagger.py. */
const FIRST_IDS: Readonly<Record<string, number>> = { coco2017: 10_000_000, o365: 20_000_000 };

/**
 * Formats scene graphs as the JSON list that RLIPv2 trains on: Visual Genome's format with `names` as one string, and for
 * pseudo-labels `dataset`, `data_split` and each relation's `confidence`. An image has all of its objects, in order. Ids
 * increase through the whole file; in the official files they restart with each part.
 *
 * Source: RLIPv2, `pseudo annotations` of generate_relations_using_verb_tagger.py; Visual Genome v1.4.
 */
export async function* rlipv2Annotations(
  graphs: AsyncIterable<SceneGraph>,
  note: ExportInput['note'],
): AsyncGenerator<string, void> {
  const nextObject = new Map<string, number>();
  const nextRelation = new Map<string, number>();
  let separator = '[';
  for await (const { image, objects, relations } of graphs) {
    const { dataset, split } = image;
    const first = FIRST_IDS[dataset] ?? 0;
    const objectBase = nextObject.get(dataset) ?? first;
    const relationBase = nextRelation.get(dataset) ?? first;
    const pairs = pairRelations(relations, note);
    nextObject.set(dataset, objectBase + objects.length);
    nextRelation.set(dataset, relationBase + pairs.length);
    // The official loader recognizes Visual Genome by the absence of these two keys.
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
      relationships: pairs.map(({ subject, object, predicate, confidence }, index) => ({
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
 * Formats candidates as the official tagger reads them: `{"<image id>": [[[[subject, object], …], ["text", …]], …]}`, images
 * in the order of the run.
 *
 * Source: RLIPv2, datasets/rlipv2_helper/BLIP_coco_caption_helper.py.
 *
 * @throws OutputError when an image id occurs twice
 */
export function rlipv2Candidates(sets: AsyncIterable<CandidateSet>, file: string): AsyncGenerator<string, void> {
  return byImage(sets, ({ candidates }) => officialGroups(candidates), file);
}

/**
 * Formats the paths of images as the official Objects365 loader reads them: `{"<image id>": "train/patch16/….jpg"}`.
 *
 * @throws OutputError when an image id occurs twice
 */
export function rlipv2FilePaths(graphs: AsyncIterable<SceneGraph>, file: string): AsyncGenerator<string, void> {
  return byImage(graphs, ({ image }) => (image.split === '' ? image.file : `${image.split}/${image.file}`), file);
}

/**
 * Formats a JSON object with a value for each image, by its id.
 *
 * @throws OutputError when an image id occurs twice, as in merged sets: a reader would only see the last one
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
      throw new OutputError(
        file,
        `the image id ${id} occurs twice, in '${other}' and '${dataset}', expected unique ids as keys; run and export each data set separately`,
      );
    }
    yield `${datasets.size === 0 ? '{' : ',\n'}${JSON.stringify(key)}: ${JSON.stringify(value(record))}`;
    datasets.set(key, dataset);
  }
  yield datasets.size === 0 ? '{}\n' : '}\n';
}

/**
 * Formats how often each category and predicate occurs, most frequent first, as the official `keep_names_freq` files.
 *
 * Source: RLIPv2, generate_relations_using_verb_tagger.py.
 */
export async function* rlipv2Frequencies(graphs: AsyncIterable<SceneGraph>): AsyncGenerator<string, void> {
  const objects = new Map<string, number>();
  const predicates = new Map<string, number>();
  for await (const graph of graphs) {
    for (const { category } of graph.objects) increment(objects, category);
    for (const { predicate } of graph.relations) increment(predicates, predicate);
  }
  const relationFrequencies = byFrequency(predicates);
  const objectFrequencies = byFrequency(objects);
  // JSON.stringify would move keys like "1" to the front of an object, so the pairs are formatted here.
  const names = (frequencies: readonly (readonly [string, number])[]) =>
    JSON.stringify(frequencies.map(([name]) => name));
  const counts = (frequencies: readonly (readonly [string, number])[]) =>
    `{${frequencies.map(([name, count]) => `${JSON.stringify(name)}: ${count}`).join(', ')}}`;
  yield `{"relationship_names": ${names(relationFrequencies)},\n"object_names": ${names(objectFrequencies)},\n`;
  yield `"relationship_freq": ${counts(relationFrequencies)},\n"object_freq": ${counts(objectFrequencies)}}\n`;
}

function byFrequency(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
