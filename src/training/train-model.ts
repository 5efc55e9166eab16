import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OptionError, OutputError } from '../errors.js';
import { writeAtomically } from '../files/write-atomically.js';
import { modelMetadata } from '../model/weights/stored-model.js';
import { Checkpoints, settingsDigest, type TrainingState, writeWeights } from './checkpoint.js';
import { writeCurves } from './curves-page.js';
import { AugmentedImageReader } from './data/augmented-image-reader.js';
import type { TrainingData } from './data/training-data.js';
import { openModel } from './open-training-model.js';
import { AdamW } from './optimizer/adam-w.js';
import { Ema } from './optimizer/ema.js';
import type { RunSettings } from './settings/run-settings.js';
import { TrainingRun, type TrainOptions } from './training-run.js';

export interface TrainingResult {
  readonly finished: boolean;
  readonly step: number;
  /** The trained weights, or the checkpoint to go on from. */
  readonly path: string;
  /** The last step's. */
  readonly loss: number | null;
}

/**
 * Trains a model: an R-Tagger with denoising, or RLIPv2. A run that was stopped or killed goes on from its last
 * checkpoint to the same numbers: what is drawn depends on seed, step and place in the data alone.
 *
 * @throws OptionError where there are fewer images than a batch takes
 * @throws OutputError where the folder holds a run and `resume` is not set, or one of other settings
 * @throws RelflowError (`diverged`) where a loss or gradient is no number; `failure.json` says which images it was, and
 *   the weights before that step are in a checkpoint
 *
 * Source: RLIPv2, sections 3 and 4.2; engine.py.
 */
export async function trainModel(options: TrainOptions): Promise<TrainingResult> {
  const { settings, data, out, stop } = options;
  if (data.census.total < settings.batch)
    throw new OptionError(
      'training',
      `a batch of ${settings.batch} images, but only ${data.census.total} to learn from`,
    );
  const digest = settingsDigest(settings);
  const { objects, relations } = data.census.vocabularies;
  const metadata = modelMetadata({
    config: settings.model,
    view: { shorter: Math.max(...settings.views.shorter), longest: settings.views.longest },
    ...(allAtOnce(settings, data) && { labels: { objects: objects.names, relations: relations.names } }),
  });
  const checkpoints = new Checkpoints(join(out, 'checkpoints'), digest, metadata);
  const newest = await checkpoints.newest();
  if (newest !== null && !options.resume)
    throw new OutputError(out, 'holds a training run: go on with --resume, or give another folder');
  await mkdir(out, { recursive: true });
  await checkSettings(join(out, 'settings.json'), settings);
  const { model, forward, started } = await openModel(settings, options);
  const { parameters } = model;
  const optimizer = new AdamW(parameters.values(), settings.optimizer);
  const average = settings.average === null ? null : new Ema(parameters.values(), settings.average);
  const reader = new AugmentedImageReader(settings.views, {
    keep: (options.keepImages ?? 0) * 1e6,
    ...(options.readers !== undefined && { threads: options.readers }),
  });
  const run = new TrainingRun(options, { model, forward, optimizer, average, checkpoints, reader, started });
  try {
    const start: TrainingState = { step: 0, updates: 0, next: { epoch: 0, position: 0 } };
    const state = newest === null ? start : await checkpoints.restore(newest, { parameters, optimizer, average });
    const end = await run.go(state);
    const loss = run.lastLoss;
    await writeCurves(join(out, 'log.jsonl'), join(out, 'curves.html'), settings.model.name);
    if (stop.aborted && !run.finished) return { finished: false, step: end.step, path: run.lastCheckpoint, loss };
    const path = join(out, 'weights.safetensors');
    average?.exchange();
    await writeWeights(path, parameters, metadata);
    await run.tell({ event: 'end', step: end.step, weights: path });
    return { finished: true, step: end.step, path, loss };
  } finally {
    await reader.close();
    average?.dispose();
    optimizer.dispose();
    model.dispose();
  }
}

/** Whether each batch of a tagger has all texts of the data: then it knows itself among all of them alone. */
const allAtOnce = ({ task, texts }: RunSettings, { census: { vocabularies } }: TrainingData): boolean =>
  task === 'tagger' &&
  vocabularies.objects.names.length <= texts.objects &&
  vocabularies.relations.names.length <= texts.relations;

/** A folder belongs to one set of settings, whether it has a checkpoint yet or not. */
async function checkSettings(path: string, settings: RunSettings): Promise<void> {
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  const known = await readFile(path, 'utf8').catch(() => null);
  if (known === null) await writeAtomically(path, [text]);
  else if (known !== text) {
    const was = JSON.parse(known) as Record<string, unknown>;
    const name = Object.entries(settings).find(([key, value]) => JSON.stringify(was[key]) !== JSON.stringify(value));
    throw new OutputError(path, `is of a run with another '${name?.[0] ?? 'setting'}': give another folder`);
  }
}
