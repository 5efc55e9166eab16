import { OptionError } from '../errors.js';
import type { TrainingConfig } from '../records/training-config.js';
import { openTrainingData } from './data/open-training-data.js';
import { trainingSettings } from './settings/training-settings.js';
import { startBackend } from './start-backend.js';
import { checkMemoryFits, stepMemory } from './step-memory.js';
import { type TrainingResult, trainModel } from './train-model.js';
import { TrainingFolder } from './training-folder.js';
import type { TrainingEvent } from './training-log.js';

export interface TrainOptions {
  /** The output folder; created if it does not exist. */
  readonly out: string;
  /** Continues an interrupted training of the same configuration from its newest checkpoint. Default false. */
  readonly resume?: boolean;
  /** Removes an earlier training from the folder first. Default false. */
  readonly overwrite?: boolean;
  /**
   * Stops after the current step and writes a checkpoint to resume from. Before the first step there is nothing to
   * write, and `train` rejects with the signal's reason.
   */
  readonly stop?: AbortSignal;
  /** Aborts after the current step without a checkpoint; `train` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called with each event of the training's log, after it is written. */
  readonly onProgress?: (event: TrainingEvent) => void;
}

/**
 * Trains a model into a folder: an R-Tagger with denoising, or RLIPv2 in pre-training or fine-tuning, as `config.task`
 * says. Data, model, optimizer and loop follow from the configuration. The same configuration and data give the same
 * weights, however often the training is interrupted and resumed.
 *
 * @example
 * ```ts
 * import { train } from 'relflow/training';
 *
 * const { weights, loss } = await train(
 *   {
 *     task: 'tagger',
 *     model: 'tinyTagger',
 *     data: [{ sceneGraphs: 'scene-graphs.jsonl', images: 'images' }],
 *     epochs: 10,
 *     batchSize: 8,
 *     augmentation: 'tiny',
 *   },
 *   { out: 'run' },
 * );
 * ```
 * @param config see `schemas/training.schema.json`; relative paths start at the process's working directory, see
 *   `readTrainingConfig`
 * @throws OptionError naming the first wrong field of the configuration or the options, before any work
 * @throws InputError when data, weights or a tokenizer is missing or malformed
 * @throws OutputError when the folder contains a training that is neither resumed nor overwritten, or another process
 *   uses it
 * @throws RelflowError (`out-of-memory`) when a step cannot fit into the memory of the wasm backend, (`no-data`) when
 *   there is no image to train on, (`diverged`) when a loss or gradient is not finite
 */
export async function train(config: TrainingConfig, options: TrainOptions): Promise<TrainingResult> {
  const settings = trainingSettings(config);
  const { out, resume = false, overwrite = false, onProgress } = options;
  if (!out) throw new OptionError('train', 'no output folder');
  if (resume && overwrite) throw new OptionError('train', 'expected resume or overwrite, not both');
  const stop = options.stop ?? new AbortController().signal;
  const signal = options.signal ?? new AbortController().signal;
  await new TrainingFolder(out).check(settings, { resume, overwrite });
  const backend = await startBackend(config);
  if (backend.name === 'wasm') await checkMemoryFits(settings, await stepMemory(settings));
  const data = await openTrainingData(config, settings, AbortSignal.any([signal, stop]));
  return trainModel({
    ...data,
    ...{ settings, config, backend, out, resume, overwrite, stop, signal },
    ...(onProgress && { onProgress }),
  });
}
