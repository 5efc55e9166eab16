import { OptionError } from '../errors.js';
import { readFinite } from '../files/read-finite.js';
import { RlipV2 } from '../model/rlip-v2.js';
import { byteTokenizer, openTokenizer } from '../model/text/tokenizer.js';
import { initializeWeights } from '../model/weights/initialize-weights.js';
import { compareWeights, loadWeights } from '../model/weights/load-weights.js';
import { openWeights } from '../model/weights/open-weights.js';
import type { TrainingConfig } from '../records/training-config.js';
import { createForward } from './create-forward.js';
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
}

/** The vocabulary size of models that read bytes. */
const BYTE_VOCABULARY = 260;

/**
 * Makes a model with the weights that its training starts from.
 * @throws OptionError when the model needs a tokenizer and none is given, or no array of `startFrom` fits
 * @throws InputError, RelflowError when weights or tokenizer cannot be read
 */
export async function openTrainingModel(
  settings: TrainingSettings,
  { initialWeights, startFrom, tokenizer: folder }: ModelFiles,
): Promise<TrainingModel> {
  const readsBytes = settings.model.text.vocabulary === BYTE_VOCABULARY;
  if (!readsBytes && folder === undefined)
    throw new OptionError(
      'training',
      `/tokenizer is missing, expected a folder with roberta-base's tokenizer.json, which ${settings.model.name} needs`,
    );
  const tokenizer = readsBytes ? byteTokenizer : await openTokenizer(folder!);
  const model = new RlipV2(settings.model);
  const forward = createForward(settings, model, tokenizer);
  try {
    if (initialWeights !== undefined) await loadAll(model, initialWeights);
    else initializeWeights(model.parameters, settings.seed);
    const startedFrom = startFrom === undefined ? null : await loadMatching(model, startFrom);
    return { model, forward, startedFrom };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function loadAll(model: RlipV2, path: string): Promise<void> {
  const source = await openWeights(path);
  try {
    await loadWeights(model.parameters, source);
  } finally {
    await source.close();
  }
}

/**
 * Copies the arrays whose name and shape match, as the official converter does to start from a detector.
 * @returns the number of arrays
 */
async function loadMatching(model: RlipV2, path: string): Promise<number> {
  const source = await openWeights(path);
  try {
    const { missing, misshapen } = compareWeights(model.parameters, source);
    const other = new Set([...missing, ...misshapen.map((line) => line.slice(0, line.indexOf(':')))]);
    const matching = [...model.parameters.values()].filter(({ name }) => !other.has(name));
    if (matching.length === 0)
      throw new OptionError(
        'training',
        `/startFrom ${path}: no array has a name and shape of ${model.config.name}, expected weights of a similar model`,
      );
    for (const parameter of matching) parameter.set(await readFinite(source, parameter.name));
    return matching.length;
  } finally {
    await source.close();
  }
}
