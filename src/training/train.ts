import type { TrainingConfig } from '../records/training-config.js';
import { openTrainingData } from './data/open-training-data.js';
import { trainingSettings } from './settings/training-settings.js';
import { startBackend } from './start-backend.js';
import { checkMemoryFits, stepMemory } from './step-memory.js';
import { type TrainingResult, trainModel } from './train-model.js';
import { checkTrainOptions, type TrainOptions } from './train-options.js';
import { TrainingFolder } from './training-folder.js';

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
  checkTrainOptions(options);
  await new TrainingFolder(options.out).check(settings, options);
  const backend = await startBackend(config);
  if (backend.name === 'wasm') await checkMemoryFits(settings, await stepMemory(settings));
  const signals = [options.signal, options.stop].filter((signal) => signal !== undefined);
  const data = await openTrainingData(config, settings, AbortSignal.any(signals));
  return trainModel({ ...options, ...data, settings, config, backend });
}
