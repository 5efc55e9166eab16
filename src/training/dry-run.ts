import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../errors.js';
import { noDropout } from '../model/layers/dropout.js';
import type { TrainingConfig } from '../records/training-config.js';
import { AugmentedImageReader } from './data/augmented-image-reader.js';
import { batchStream } from './data/batch-stream.js';
import { openTrainingData } from './data/open-training-data.js';
import type { TrainingBatch } from './data/training-batch.js';
import type { DataSummary, TrainingData } from './data/training-data.js';
import { lossGradients } from './loss-gradients.js';
import { checkModelFiles, openTrainingModel } from './open-training-model.js';
import { AdamW } from './optimizer/adam-w.js';
import { gradientNorm } from './optimizer/gradient-norm.js';
import { batchOptions } from './settings/data-options.js';
import { checkFullBatch, totalSteps } from './settings/total-steps.js';
import { type TrainingSettings, trainingSettings } from './settings/training-settings.js';
import { startBackend } from './start-backend.js';
import { checkMemoryFits, type StepMemory, stepMemory } from './step-memory.js';
import type { TrainOptions } from './train-options.js';

/** The result of a dry run. */
export interface DryRun {
  /** Counts of the training data. */
  readonly dataSummary: Pick<DataSummary, 'total' | 'rejects' | 'leftOut'>;
  /** Number of steps of the training. */
  readonly steps: number;
  /** Shapes of the first batch. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Pairs of the first batch. */
  readonly pairs: number;
  /** Pairs of the first batch with a relation. */
  readonly positives: number;
  /** Number of trained weights. */
  readonly trained: number;
  /** Number of frozen weights. */
  readonly frozen: number;
  /** The largest step that the settings allow. */
  readonly memory: StepMemory;
  /** Time to read the batch. */
  readonly readSeconds: number;
  /** The step; null if it does not fit into the memory of the backend. */
  readonly step: MeasuredStep | null;
  /** Why the step was not run, and settings that fit; null if it was. */
  readonly problem: string | null;
}

/** What one step of a training took. */
export interface MeasuredStep {
  readonly loss: number;
  /** L2 norm of all gradients before clipping. */
  readonly gradientNorm: number;
  /** The peak of this step with the optimizer's update, see `stepMemory`. */
  readonly peakBytes: number;
  /** Time of the forward and backward pass. */
  readonly stepSeconds: number;
}

/**
 * Checks data, names and weights of a training, and runs one step without changing anything: reports shapes, loss, memory and
 * times. Writes no file. A step that does not fit into the memory of the wasm backend is not run.
 *
 * @example
 * ```ts
 * import { dryRun, readTrainingConfig } from 'relflow/training';
 *
 * const { shapes, memory } = await dryRun(await readTrainingConfig('tagger.json'));
 * ```
 * @throws what `train` throws before its first step
 * @throws RelflowError (`no-pairs`) when no batch of an epoch has a pair of objects
 */
export async function dryRun(config: TrainingConfig, { signal }: Pick<TrainOptions, 'signal'> = {}): Promise<DryRun> {
  const settings = trainingSettings(config);
  const backend = await startBackend(config);
  const memory = await stepMemory(settings);
  const problem =
    backend.name === 'wasm' ? await checkMemoryFits(settings, memory).then(noProblem, memoryProblem) : null;
  const { data } = await openTrainingData(config, settings, signal ?? new AbortController().signal);
  checkFullBatch(settings, data.summary);
  const reading = performance.now();
  const batch = await firstBatch(settings, data);
  const readSeconds = (performance.now() - reading) / 1000;
  if (batch.pairs === 0) throw new RelflowError('no-pairs', 'training: no batch has a pair of objects');
  const { total, rejects, leftOut } = data.summary;
  const images = batch.sizes.length;
  if (problem !== null) await checkModelFiles(settings, config);
  const step = problem === null ? await oneStep(settings, config, batch) : null;
  return {
    dataSummary: { total, rejects, leftOut },
    steps: totalSteps(settings, total),
    shapes: {
      pixels: [images, batch.height, batch.width, 3],
      objects: [batch.labels.objects.length],
      relations: [batch.labels.relations.length],
      pairs: [images, batch.slots],
      targets: [images, batch.slots, batch.labels.relations.length],
    },
    pairs: batch.pairs,
    positives: batch.positives,
    // All numbers have 4 bytes.
    trained: memory.gradients / 4,
    frozen: (memory.weights - memory.gradients) / 4,
    memory,
    readSeconds,
    step,
    problem,
  };
}

const noProblem = () => null;

function memoryProblem(error: unknown): string {
  if (error instanceof RelflowError && error.code === 'out-of-memory') return error.message;
  throw error;
}

async function oneStep(
  settings: TrainingSettings,
  config: TrainingConfig,
  batch: TrainingBatch,
): Promise<MeasuredStep> {
  const { peak: peakBytes } = await stepMemory(settings, batch);
  const { model, forward } = await openTrainingModel(settings, config);
  const optimizer = new AdamW(model.parameters.values(), settings.optimizer);
  try {
    const started = performance.now();
    const { gradients, loss } = await lossGradients(forward, batch, optimizer.variables, () => noDropout);
    const stepSeconds = (performance.now() - started) / 1000;
    const norm = await gradientNorm(gradients);
    tf.dispose(gradients);
    return { loss, gradientNorm: norm, peakBytes, stepSeconds };
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}

async function firstBatch(settings: TrainingSettings, data: TrainingData): Promise<TrainingBatch> {
  const reader = new AugmentedImageReader(settings.augmentation, { threads: 0 });
  const { signal } = new AbortController();
  const stream = batchStream(data, batchOptions(settings, reader), { epoch: 0, position: 0 }, signal);
  // Images without a relation are trained on too, but a batch of them alone has no step.
  let first: TrainingBatch | undefined;
  for await (const { batch } of stream) {
    first = batch;
    if (batch.pairs > 0 || batch.epoch > 0) break;
  }
  return first!;
}
