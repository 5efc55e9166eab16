import type { Backend } from '../model/backends/use-backend.js';
import { NO_OBJECTS } from '../model/no-objects.js';
import { modelMetadata } from '../model/weights/stored-model.js';
import { addCount } from '../records/stage-counts.js';
import type { TrainingConfig } from '../records/training-config.js';
import { BestWeights } from './best-weights.js';
import { Checkpoints, checkpointSettingsDigest, type TrainingState } from './checkpoints.js';
import { writeCurves } from './curves-page.js';
import { AugmentedImageReader } from './data/augmented-image-reader.js';
import type { TrainingBatch } from './data/training-batch.js';
import type { TrainingData } from './data/training-data.js';
import { type ModelFiles, openTrainingModel, type TrainingModel } from './open-training-model.js';
import { AdamW } from './optimizer/adam-w.js';
import { Ema } from './optimizer/ema.js';
import { FIXED_TOKENS, fixedShapes } from './recorded/fixed-shapes.js';
import { RecordedEngine } from './recorded/recorded-engine.js';
import { ReplayedEngine } from './recorded/replayed-engine.js';
import { batchOptions } from './settings/data-options.js';
import type { RlipSettings } from './settings/rlip-settings.js';
import { checkFullBatch, totalSteps } from './settings/total-steps.js';
import type { TrainingSettings } from './settings/training-settings.js';
import { EagerEngine, type StepEngine } from './step-engine.js';
import { checkTrainOptions, type TrainOptions } from './train-options.js';
import { TrainingFolder } from './training-folder.js';
import { type TrainingEvent, TrainingLog } from './training-log.js';
import { trainingLoop } from './training-loop.js';
import { writeWeights } from './write-weights.js';

/** Fields of a configuration that do not change the steps, and the files that a model starts from. */
export type RunConfig = ModelFiles &
  Pick<
    TrainingConfig,
    'prefetch' | 'readers' | 'imageCacheMegabytes' | 'eager' | 'checkpointEvery' | 'keepCheckpoints' | 'evaluateEvery'
  >;

/** Options of `trainModel`: those of `train`, and data that is already open. */
export interface TrainModelOptions extends TrainOptions {
  readonly settings: TrainingSettings;
  /** Default: the defaults of a configuration. */
  readonly config?: RunConfig;
  readonly data: TrainingData;
  readonly validation?: TrainingData;
  /** The backend that runs, for the log. */
  readonly backend: Backend;
}

/** How a training ended. */
export interface TrainingResult {
  /** The output folder. */
  readonly folder: string;
  /** False if the training was stopped before its last step. */
  readonly finished: boolean;
  /** Steps that are done, earlier runs included. */
  readonly steps: number;
  /** The file of the trained weights; null if the training was stopped. */
  readonly weights: string | null;
  /** The newest checkpoint, from which a stopped training resumes. */
  readonly checkpoint: string;
  /** Loss of the last step of this run; null if no step changed the weights. */
  readonly loss: number | null;
  /** Loss of the last evaluation of this run; null if there was none. */
  readonly validationLoss: number | null;
  /** Number of images and other entries that were left out, by reason: refused when the data was counted, or images that this run could not read. */
  readonly refused: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/**
 * Trains a model on data that is already open, see `train`.
 *
 * @example
 * ```ts
 * import { sceneGraphLines } from 'relflow';
 * import { useBackend } from 'relflow/model';
 * import { dataOptions, TrainingData, trainingSettings, trainModel } from 'relflow/training';
 *
 * const set = { sceneGraphs: 'scene-graphs.jsonl', images: 'images' };
 * const settings = trainingSettings({ task: 'tagger', model: 'tinyTagger', data: [set], epochs: 10, batchSize: 8 });
 * const sources = [{ source: sceneGraphLines(set), images: set.images }];
 * const data = await TrainingData.open(sources, dataOptions(settings), new AbortController().signal);
 * await trainModel({ settings, data, backend: await useBackend('wasm'), out: 'run' });
 * ```
 *
 * @throws OptionError when the options contradict each other, or there are fewer images than a batch has
 * @throws OutputError when the folder contains a training that is neither resumed nor overwritten, or another process
 *   uses it
 * @throws RelflowError (`diverged`) when a loss or gradient is not finite; `failure.json` names the images, and a
 *   checkpoint has the weights from before that step
 *
 * Source: RLIPv2, sections 3 and 4.2; engine.py.
 */
export async function trainModel(options: TrainModelOptions): Promise<TrainingResult> {
  checkTrainOptions(options);
  const { settings, data, out } = options;
  checkFullBatch(settings, data.summary);
  const folder = new TrainingFolder(out);
  await folder.check(settings, options);
  const unlock = await folder.lock();
  try {
    // Another process may have trained here before the lock was taken.
    await folder.check(settings, options);
    await folder.start(settings, options);
    return await trainLocked(folder, options);
  } finally {
    await unlock();
  }
}

/** Trains in a folder that no other process writes to. */
async function trainLocked(folder: TrainingFolder, options: TrainModelOptions): Promise<TrainingResult> {
  const { settings, config = {}, data, validation = null } = options;
  const { signal: never } = new AbortController();
  const started = performance.now();
  const metadata = modelMetadata({
    config: settings.model,
    view: { shorter: Math.max(...settings.augmentation.shorterSides), longest: settings.augmentation.maxSize },
    ...(settings.task === 'finetune' && { labels: fixedLabels(settings) }),
    ...(hasAllLabels(settings, data) && { labels: labelsOf(data) }),
  });
  const { name: backendName } = options.backend;
  const Recorded =
    settings.canvasMultiple === undefined
      ? null
      : { tensorflow: RecordedEngine, webgpu: ReplayedEngine, wasm: null, cpu: null }[backendName];
  const Engine = config.eager === true ? null : Recorded;
  // Where steps can be recorded, eager ones have the same shapes, and so the same dropout.
  const isFixed = Recorded !== null;
  const opened = await openTrainingModel(settings, config, isFixed ? FIXED_TOKENS : 1);
  const { model, forward } = opened;
  const { parameters } = model;
  const optimizer = new AdamW(parameters.values(), settings.optimizer);
  const ema = settings.emaDecay === null ? null : new Ema(parameters.values(), settings.emaDecay);
  const checkpoints = new Checkpoints(
    folder.checkpoints,
    checkpointSettingsDigest(settings),
    metadata,
    config.keepCheckpoints ?? 2,
  );
  const reader = new AugmentedImageReader(settings.augmentation, {
    cacheBytes: (config.imageCacheMegabytes ?? 0) * 1e6,
    ...(config.readers !== undefined && { threads: config.readers }),
  });
  let engine: StepEngine | undefined;
  try {
    const newest = await checkpoints.newest();
    const state: TrainingState =
      newest === null
        ? { step: 0, updates: 0, next: { epoch: 0, position: 0 } }
        : await checkpoints.restore(newest, { parameters, optimizer, ema });
    const log = await TrainingLog.open(folder.log, state.step, options.onProgress);
    await log.add(startEvent(options, state.step, opened));
    const { evaluator } = options;
    const best = evaluator ? await BestWeights.open(evaluator, folder.best, folder.log, metadata) : null;
    const engineOptions = {
      ...{ settings, forward, optimizer, ema },
      prepared: (batch: TrainingBatch) => (isFixed ? fixedShapes(batch, settings.model.pairs) : batch),
    };
    engine =
      Engine !== null
        ? new Engine({
            ...engineOptions,
            parameters,
            onRecording: (step, event) => log.add({ event: 'recording', step, ...event }),
          })
        : new EagerEngine(engineOptions);
    const loop = {
      best,
      ...{ settings, data, validation, parameters, optimizer, ema, engine, checkpoints, log },
      batches: batchOptions(settings, reader, config.prefetch ?? 2),
      checkpointEvery: config.checkpointEvery ?? 500,
      evaluateEvery: config.evaluateEvery ?? null,
      failureFile: folder.failure,
      stop: options.stop ?? never,
      signal: options.signal ?? never,
    };
    const { step, unread, ...end } = await trainingLoop(loop, state);
    await writeCurves(folder.log, folder.curves, settings.model.name);
    const weights = end.finished ? folder.weights : null;
    if (weights !== null) {
      ema?.exchange();
      await writeWeights(weights, parameters, metadata);
      await log.add({ event: 'end', step, weights });
    }
    return {
      folder: folder.path,
      steps: step,
      weights,
      ...end,
      refused: sumOfCounts(data.summary.rejects, unread),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await reader.close();
    engine?.dispose();
    ema?.dispose();
    optimizer.dispose();
    model.dispose();
  }
}

function sumOfCounts(...all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counts of all) for (const [name, count] of Object.entries(counts)) addCount(sums, name, count);
  return sums;
}

function startEvent(
  { settings, data, validation, backend: { name, ...backend } }: TrainModelOptions,
  step: number,
  { startedFrom, queriesLeftOut }: TrainingModel,
): TrainingEvent {
  const { total, vocabularies, rejects, leftOut } = data.summary;
  return {
    event: 'start',
    step,
    images: total,
    validation: validation?.summary.total ?? 0,
    steps: totalSteps(settings, total),
    relations: vocabularies.relations.names.length,
    objects: vocabularies.objects.names.length,
    rejects,
    leftOut,
    ...(startedFrom !== null && { startedFrom }),
    ...(queriesLeftOut > 0 && { queriesLeftOut }),
    backend: name,
    ...backend,
  };
}

/** The labels of a fine-tuning, which every batch has in this order. */
const fixedLabels = ({ vocabulary }: RlipSettings) => ({
  objects: vocabulary!.objects.filter((name) => name !== NO_OBJECTS),
  relations: vocabulary!.relations,
});

/** Whether every batch of a tagger has all labels of the data: such a tagger scores a label only among all of them. */
function hasAllLabels({ task, labels: counts }: TrainingSettings, data: TrainingData): boolean {
  const { objects, relations } = labelsOf(data);
  return task === 'tagger' && objects.length <= counts.objects && relations.length <= counts.relations;
}

const labelsOf = ({ summary: { vocabularies } }: TrainingData) => ({
  objects: vocabularies.objects.names,
  relations: vocabularies.relations.names,
});
