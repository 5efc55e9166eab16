import { OptionError } from '../errors.js';
import { readFinite } from '../files/read-finite.js';
import type { WeightSource } from '../files/weight-source.js';
import type { Parameter } from '../model/parameter-scope.js';
import { RlipV2 } from '../model/rlip-v2.js';
import { byteTokenizer, openTokenizer, type Tokenizer } from '../model/text/tokenizer.js';
import { initializeWeights } from '../model/weights/initialize-weights.js';
import { compareWeights, loadWeights } from '../model/weights/load-weights.js';
import { openWeights } from '../model/weights/open-weights.js';
import type { TrainingConfig } from '../records/training-config.js';
import { createForward } from './create-forward.js';
import type { TrainingVocabulary } from './data/training-sample.js';
import { openInitialWeights } from './initial-weights.js';
import type { Forward } from './loss-gradients.js';
import type { TrainingSettings } from './settings/training-settings.js';

/** The files that a model starts from. */
export type ModelFiles = Pick<TrainingConfig, 'initialWeights' | 'startFrom' | 'tokenizer'>;

/** A model that is ready to be trained. */
export interface TrainingModel {
  readonly model: RlipV2;
  readonly forward: Forward;
  /** The number of arrays copied from the weights of `startFrom`; null without it. */
  readonly startedFrom: number | null;
  /** The number of pair queries of `initialWeights` that the model has not; the first ones are kept. */
  readonly queriesLeftOut: number;
}

/** The vocabulary size of models that read bytes. */
const BYTE_VOCABULARY = 260;

/**
 * Makes a model with the weights that its training starts from.
 * @param tokenMultiple see `tokenizeLabels`
 * @throws OptionError when the model needs a tokenizer and none is given, or no array of `startFrom` fits
 * @throws InputError, RelflowError when weights or tokenizer cannot be read
 */
export async function openTrainingModel(
  settings: TrainingSettings,
  { initialWeights, startFrom, tokenizer: folder }: ModelFiles,
  tokenMultiple = 1,
): Promise<TrainingModel> {
  const tokenizer = await openModelTokenizer(settings, folder);
  const model = new RlipV2(settings.model);
  const forward = createForward(settings, model, tokenizer, tokenMultiple);
  try {
    let queriesLeftOut = 0;
    if (initialWeights !== undefined) queriesLeftOut = await loadAll(model, initialWeights, vocabularyOf(settings));
    else initializeWeights(model.parameters, settings.seed);
    const startedFrom = startFrom === undefined ? null : await loadMatching(model, startFrom);
    return { model, forward, startedFrom, queriesLeftOut };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

const vocabularyOf = (settings: TrainingSettings) => (settings.task === 'finetune' ? settings.vocabulary : null);

/** @throws OptionError when the model needs a tokenizer and none is given */
async function openModelTokenizer(settings: TrainingSettings, folder: string | undefined): Promise<Tokenizer> {
  if (settings.model.text.vocabulary === BYTE_VOCABULARY) return byteTokenizer;
  if (folder === undefined)
    throw new OptionError(
      'training',
      `/tokenizer is missing, expected a folder with roberta-base's tokenizer.json, which ${settings.model.name} needs`,
    );
  return openTokenizer(folder);
}

/**
 * Checks the files that a model starts from without making it, since its weights may not fit into memory.
 * @throws as `openTrainingModel`
 */
export async function checkModelFiles(settings: TrainingSettings, files: ModelFiles): Promise<void> {
  await openModelTokenizer(settings, files.tokenizer);
  const model = new RlipV2(settings.model);
  if (files.initialWeights !== undefined)
    await (await openInitialWeights(files.initialWeights, model, vocabularyOf(settings))).source.close();
  if (files.startFrom !== undefined) await (await openMatching(model, files.startFrom)).source.close();
}

/** @returns the number of pair queries that are left out */
async function loadAll(model: RlipV2, path: string, vocabulary: TrainingVocabulary | null): Promise<number> {
  const { source, queriesLeftOut } = await openInitialWeights(path, model, vocabulary);
  try {
    await loadWeights(model.parameters, source);
    return queriesLeftOut;
  } finally {
    await source.close();
  }
}

/**
 * Copies the arrays whose name and shape match, as the official converter does to start from a detector.
 * @returns the number of arrays
 */
async function loadMatching(model: RlipV2, path: string): Promise<number> {
  const { source, matching } = await openMatching(model, path);
  try {
    for (const parameter of matching) parameter.set(await readFinite(source, parameter.name));
    return matching.length;
  } finally {
    await source.close();
  }
}

async function openMatching(model: RlipV2, path: string): Promise<{ source: WeightSource; matching: Parameter[] }> {
  const source = await openWeights(path);
  const { missing, misshapen } = compareWeights(model.parameters, source);
  const other = new Set([...missing, ...misshapen.map((line) => line.slice(0, line.indexOf(':')))]);
  const matching = [...model.parameters.values()].filter(({ name }) => !other.has(name));
  if (matching.length > 0) return { source, matching };
  await source.close();
  throw new OptionError(
    'training',
    `/startFrom ${path}: no array has a name and shape of ${model.config.name}, expected weights of a similar model`,
  );
}
