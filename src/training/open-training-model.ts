import { OptionError } from '../errors.js';
import { RlipV2 } from '../model/rlip-v2.js';
import { byteTokenizer, openTokenizer, type Tokenizer } from '../model/text/tokenizer.js';
import { initializeWeights } from '../model/weights/initialize-weights.js';
import { compareWeights, loadWeights } from '../model/weights/load-weights.js';
import { openWeights } from '../model/weights/open-weights.js';
import type { TrainingConfig } from '../records/training-config.js';
import { CachedLabelVectors } from './data/cached-label-vectors.js';
import type { Forward } from './loss-gradients.js';
import { rlipForward } from './rlip-forward.js';
import type { TrainingSettings } from './settings/training-settings.js';
import { taggerForward } from './tagger-forward.js';

/** Files that a model starts from. */
export type ModelFiles = Pick<TrainingConfig, 'initialWeights' | 'startFrom' | 'tokenizer'>;

/** A model that is ready to be trained. */
export interface TrainingModel {
  readonly model: RlipV2;
  readonly forward: Forward;
  /** The number of arrays taken from the weights of `startFrom`; null without it. */
  readonly startedFrom: number | null;
}

/**
 * Makes a model with the weights that its training starts from.
 * @throws OptionError when the model needs a tokenizer and none is given, or no array of `startFrom` fits
 * @throws InputError, RelflowError when weights or tokenizer cannot be read
 */
export async function openTrainingModel(
  settings: TrainingSettings,
  { initialWeights, startFrom, tokenizer: folder }: ModelFiles,
): Promise<TrainingModel> {
  const bytes = settings.model.text.vocabulary === 260;
  if (!bytes && folder === undefined)
    throw new OptionError(
      'training',
      `${settings.model.name} needs a tokenizer, expected the folder of roberta-base's`,
    );
  const tokenizer = bytes ? byteTokenizer : await openTokenizer(folder!);
  const model = new RlipV2(settings.model);
  const forward = createForward(settings, model, tokenizer);
  if (initialWeights !== undefined) await loadAll(model, initialWeights);
  else initializeWeights(model.parameters, settings.seed);
  const startedFrom = startFrom === undefined ? null : await loadFitting(model, startFrom);
  return { model, forward, startedFrom };
}

/** What a batch becomes in the model that the settings are of. */
export function createForward(settings: TrainingSettings, model: RlipV2, tokenizer: Tokenizer): Forward {
  const texts = new CachedLabelVectors(model, tokenizer, settings.optimizer.textLearningRate > 0);
  return settings.task === 'tagger' ? taggerForward(model, texts) : rlipForward(model, texts, settings.losses);
}

async function loadAll(model: RlipV2, path: string): Promise<void> {
  const source = await openWeights(path);
  try {
    await loadWeights(model.parameters, source);
  } finally {
    await source.close();
  }
}

/** As the official converter begins with a detector: what both have is taken over. */
async function loadFitting(model: RlipV2, path: string): Promise<number> {
  const source = await openWeights(path);
  try {
    const { missing, misshapen } = compareWeights(model.parameters, source);
    const lacking = new Set([...missing, ...misshapen.map((line) => line.slice(0, line.indexOf(':')))]);
    const fitting = new Map([...model.parameters].filter(([name]) => !lacking.has(name)));
    if (fitting.size === 0) throw new OptionError('training', `startFrom ${path}: none of its arrays is the model's`);
    for (const parameter of fitting.values()) parameter.set(await source.read(parameter.name));
    return fitting.size;
  } finally {
    await source.close();
  }
}
