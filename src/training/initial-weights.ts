import { OptionError, RelflowError } from '../errors.js';
import type { WeightSource } from '../files/weight-source.js';
import type { RlipV2 } from '../model/rlip-v2.js';
import { checkWeights } from '../model/weights/load-weights.js';
import { openWeights } from '../model/weights/open-weights.js';
import { storedModel } from '../model/weights/stored-model.js';
import type { TrainingVocabulary } from './data/training-sample.js';

/** The weights that a training starts from, checked against its model. */
export interface InitialWeights {
  readonly source: WeightSource;
  /** Number of pair queries that the file has more than the model, which are left out; 0 if it has as many. */
  readonly queriesLeftOut: number;
}

/** Parameters with a row for each query. */
const queryTables = /^(?:query_embed|tgt_embed|verb_tgt_embed|refpoint_embed|transformer\.verb_query_embed)\.weight$/;

/** Heads with a fixed number of classes, which RLIPv2 has not: it compares pairs with the texts of labels. */
const classHead = /(?:^|\.)(?:\w+_)?class_embed(?:\.\d+)?(?:\.layers\.\d+)?\.weight$/;

/**
 * Opens the weights that a training starts from. Of more queries than the model has, the first rows of each table are kept, as
 * the official code does to fine-tune 128 of 200 queries; then an object's query may be one that was a subject's before.
 *
 * Source: RLIPv2, util/misc.py.
 *
 * @param vocabulary the labels of the training; null if they are drawn
 * @throws RelflowError (`bad-weights`) that names every missing, unexpected and misshapen key, and heads with fixed classes
 * @throws OptionError if the file was trained with the same labels in another order
 */
export async function openInitialWeights(
  path: string,
  model: RlipV2,
  vocabulary: TrainingVocabulary | null,
): Promise<InitialWeights> {
  const file = await openWeights(path);
  try {
    if (vocabulary) checkLabelOrder(file, vocabulary);
    const source = withFirstQueries(file, model);
    try {
      checkWeights(model.parameters, source);
    } catch (error) {
      throw withClassHeads(file, error);
    }
    return { source, queriesLeftOut: queriesLeftOut(file, model) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function withFirstQueries(file: WeightSource, { config, parameters }: RlipV2): WeightSource {
  if (config.queries === 'tagger') return file;
  const cut = new Map<string, readonly number[]>();
  for (const { name, shape } of parameters.values()) {
    const stored = queryTables.test(name) ? file.entries.get(name)?.shape : undefined;
    if (stored?.length === 2 && stored[1] === shape[1] && stored[0]! > shape[0]!) cut.set(name, shape);
  }
  if (cut.size === 0) return file;
  return {
    name: file.name,
    entries: new Map(
      [...file.entries].map(([name, entry]) => [name, { ...entry, shape: cut.get(name) ?? entry.shape }]),
    ),
    read: async (name) => {
      const values = await file.read(name);
      const shape = cut.get(name);
      return shape ? values.slice(0, shape[0]! * shape[1]!) : values;
    },
    close: () => file.close(),
  };
}

function queriesLeftOut({ entries }: WeightSource, { config, parameters }: RlipV2): number {
  const table = [...parameters.values()].find(({ name }) => queryTables.test(name));
  const stored = table && entries.get(table.name)?.shape[0];
  return stored === undefined ? 0 : (stored / table!.shape[0]! - 1) * config.pairs;
}

/** Adds to an error about keys that the file is of a model with a fixed number of classes. */
function withClassHeads({ name, entries }: WeightSource, error: unknown): unknown {
  if (!(error instanceof RelflowError && error.code === 'bad-weights')) return error;
  const [key, entry] = [...entries].find(([key, { shape }]) => classHead.test(key) && shape.length === 2) ?? [];
  if (!entry) return error;
  const count = entry.shape[0]!;
  const classes = count <= 2 ? 'is class-agnostic' : `scores ${count} fixed classes`;
  return new RelflowError(
    'bad-weights',
    `${name}: its head ${key} ${classes}, whereas RLIPv2 compares pairs with the texts of labels: give weights of RLIPv2, or this file as startFrom, which copies what fits\n${error.message}`,
    error.fields,
    { cause: error },
  );
}

/** The labels of a fine-tuned or fixed model are known by their places; others of the same names would be scored wrongly. */
function checkLabelOrder(file: WeightSource, vocabulary: TrainingVocabulary): void {
  const { labels } = storedModel(file.name, file.metadata ?? {});
  if (!labels) return;
  for (const list of ['objects', 'relations'] as const) {
    const [stored, given] = [labels[list], vocabulary[list]];
    const at = given.findIndex((name, k) => stored[k] !== name);
    if (at >= 0 && stored.length === given.length && given.every((name) => stored.includes(name)))
      throw new OptionError(
        'training',
        `/vocabulary/${list} has '${given[at]}' in place ${at}, but initialWeights were trained with '${stored[at]}' there: use the order of ${file.name}`,
      );
  }
}
