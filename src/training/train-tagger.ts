import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { OptionError, OutputError, RelflowError } from '../errors.js';
import { dropWith } from '../model/layers/dropout.js';
import { RlipV2 } from '../model/rlip-v2.js';
import { byteTokenizer, openTokenizer, type Tokenizer } from '../model/text/tokenizer.js';
import { initializeWeights } from '../model/weights/initialize.js';
import { loadWeights } from '../model/weights/load-weights.js';
import { openWeights } from '../model/weights/open-weights.js';
import { AdamW, gradientLength } from './adam-w.js';
import { type BatchStreamOptions, batchStream, epochBatches, prefetch, type StreamedBatch } from './batch-stream.js';
import { Checkpoints, settingsDigest, type TrainingState, writeWeights } from './checkpoint.js';
import { randomStream, STREAMS } from './random-stream.js';
import { rateFactor } from './schedule.js';
import type { TaggerSettings } from './tagger-settings.js';
import { type LossParts, type StepLoss, taggerGradients, taggerLoss } from './tagger-step.js';
import type { TrainingBatch } from './training-batch.js';
import type { TrainingData } from './training-data.js';
import { type TrainingEvent, TrainingLog } from './training-log.js';

export interface TrainTaggerOptions {
  readonly settings: TaggerSettings;
  readonly data: TrainingData;
  readonly validation?: TrainingData;
  /** The run's folder: `log.jsonl`, `checkpoints/`, at the end `weights.safetensors`. */
  readonly out: string;
  /** Whether to go on from the newest checkpoint in the folder. */
  readonly resume: boolean;
  readonly initialWeights?: string;
  /** Folder with RoBERTa's tokenizer.json; models with a vocabulary of bytes need none. */
  readonly tokenizer?: string;
  /** Batches that are read ahead. */
  readonly prefetch: number;
  readonly checkpointEvery: number;
  readonly keep: number;
  /** Null for the end of each epoch. */
  readonly evaluateEvery: number | null;
  readonly backend: { readonly name: string; readonly threads: number };
  readonly onEvent?: (event: TrainingEvent) => void;
  /** Ends the run behind the step at hand, with a checkpoint. */
  readonly stop: AbortSignal;
}

export interface TrainingResult {
  readonly finished: boolean;
  readonly step: number;
  /** The trained weights, or the checkpoint to go on from. */
  readonly path: string;
  /** The last step's. */
  readonly loss: number | null;
}

/** A tagger that is about to be trained. @throws where weights or tokenizer can't be read */
export async function openTagger(
  settings: TaggerSettings,
  { initialWeights, tokenizer }: Pick<TrainTaggerOptions, 'initialWeights' | 'tokenizer'>,
): Promise<{ model: RlipV2; tokenizer: Tokenizer }> {
  const bytes = settings.model.text.vocabulary === 260;
  if (!bytes && tokenizer === undefined)
    throw new OptionError(
      'training',
      `${settings.model.name} needs a tokenizer, expected the folder of roberta-base's`,
    );
  const read = bytes ? byteTokenizer : await openTokenizer(tokenizer!);
  const model = new RlipV2(settings.model);
  if (initialWeights === undefined) initializeWeights(model.parameters, settings.seed);
  else {
    const source = await openWeights(initialWeights);
    try {
      await loadWeights(model.parameters, source);
    } finally {
      await source.close();
    }
  }
  return { model, tokenizer: read };
}

export const batchOptions = (settings: TaggerSettings): BatchStreamOptions => ({
  seed: settings.seed,
  batch: settings.batch,
  pairs: settings.model.pairs,
  texts: settings.texts,
  noise: settings.noise,
  compat: settings.model.compat,
  views: settings.views,
  training: true,
  buffer: settings.shuffleBuffer,
});

/** Steps of the whole run: so many as its epochs have whole batches where all images can be read. */
export function totalSteps({ epochs, steps, batch, accumulate }: TaggerSettings, images: number): number {
  const batches = Math.floor(images / batch) * epochs;
  return Math.max(1, Math.min(Math.floor(batches / accumulate), steps ?? Number.POSITIVE_INFINITY));
}

/**
 * Trains an R-Tagger with denoising. A run that was stopped or killed goes on from its last checkpoint to the same
 * numbers: what is drawn depends on seed, step and place in the data alone.
 *
 * @throws OptionError where there are fewer images than a batch takes
 * @throws OutputError where the folder holds a run and `resume` is not set, or one of other settings
 * @throws RelflowError (`diverged`) where a loss or gradient is no number; `failure.json` says which images it was, and
 *   the weights before that step are in a checkpoint
 *
 * Source: RLIPv2, section 4.2; engine.py.
 */
export async function trainTagger(options: TrainTaggerOptions): Promise<TrainingResult> {
  const { settings, data, out, stop } = options;
  if (data.census.total < settings.batch)
    throw new OptionError(
      'training',
      `a batch of ${settings.batch} images, but only ${data.census.total} to learn from`,
    );
  const digest = settingsDigest(settings);
  const metadata = { model: settings.model.name, config: JSON.stringify(settings.model) };
  const checkpoints = new Checkpoints(join(out, 'checkpoints'), digest, metadata);
  const newest = await checkpoints.newest();
  if (newest !== null && !options.resume)
    throw new OutputError(out, 'holds a training run: go on with --resume, or give another folder');
  await mkdir(out, { recursive: true });
  await checkSettings(join(out, 'settings.json'), settings);
  const { model, tokenizer } = await openTagger(settings, options);
  const optimizer = new AdamW(model.parameters.values(), settings.optimizer);
  const run = new Run(options, model, tokenizer, optimizer, checkpoints);
  try {
    const start: TrainingState = { step: 0, updates: 0, next: { epoch: 0, position: 0 } };
    const state = newest === null ? start : await checkpoints.restore(newest, model.parameters, optimizer);
    const end = await run.go(state);
    const loss = run.lastLoss;
    if (stop.aborted && !run.finished) return { finished: false, step: end.step, path: run.lastCheckpoint, loss };
    const path = join(out, 'weights.safetensors');
    await writeWeights(path, model.parameters, metadata);
    await run.tell({ event: 'end', step: end.step, weights: path });
    return { finished: true, step: end.step, path, loss };
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}

/** A folder belongs to one set of settings, whether it has a checkpoint yet or not. */
async function checkSettings(path: string, settings: TaggerSettings): Promise<void> {
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  const known = await readFile(path, 'utf8').catch(() => null);
  if (known === null) {
    // A process that is killed here leaves no half of it.
    await writeFile(`${path}.partial`, text, { flush: true });
    await rename(`${path}.partial`, path);
  } else if (known !== text) {
    const was = JSON.parse(known) as Record<string, unknown>;
    const name = Object.entries(settings).find(([key, value]) => JSON.stringify(was[key]) !== JSON.stringify(value));
    throw new OutputError(path, `is of a run with another '${name?.[0] ?? 'setting'}': give another folder`);
  }
}

class Run {
  readonly #options: TrainTaggerOptions;
  readonly #model: RlipV2;
  readonly #tokenizer: Tokenizer;
  readonly #optimizer: AdamW;
  readonly #checkpoints: Checkpoints;
  readonly #log: TrainingLog;
  lastLoss: number | null = null;
  lastCheckpoint = '';
  finished = false;

  constructor(
    options: TrainTaggerOptions,
    model: RlipV2,
    tokenizer: Tokenizer,
    optimizer: AdamW,
    checkpoints: Checkpoints,
  ) {
    this.#options = options;
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#optimizer = optimizer;
    this.#checkpoints = checkpoints;
    this.#log = new TrainingLog(join(options.out, 'log.jsonl'));
  }

  async tell(event: TrainingEvent): Promise<void> {
    await this.#log.add(event);
    this.#options.onEvent?.(event);
  }

  async go(from: TrainingState): Promise<TrainingState> {
    const { settings, data, validation, stop, checkpointEvery, evaluateEvery } = this.#options;
    const steps = totalSteps(settings, data.census.total);
    await this.#log.backTo(from.step);
    await this.#tellStart(from.step, steps);
    const stream = batchStream(data, batchOptions(settings), from.next, new AbortController().signal);
    const batches = prefetch(stream, this.#options.prefetch);
    let state = from;
    let saved = from.step;
    try {
      while (state.step < steps && !stop.aborted) {
        const before = state;
        state = await this.#step(batches, state, steps);
        const epochEnds = this.#epochsDone(state) > this.#epochsDone(before);
        if (validation && (evaluateEvery === null ? epochEnds : state.step % evaluateEvery === 0))
          await this.#evaluate(validation, state.step);
        if (state.step % checkpointEvery === 0) {
          await this.#save(state);
          saved = state.step;
        }
      }
    } finally {
      await batches.return(undefined);
    }
    this.finished = state.step >= steps;
    if (saved !== state.step || this.lastCheckpoint === '') await this.#save(state);
    return state;
  }

  /** An epoch is done where it has no further whole batch. */
  #epochsDone({ next: { epoch, position } }: TrainingState): number {
    return position + this.#options.settings.batch > this.#options.data.census.total ? epoch + 1 : epoch;
  }

  async #step(batches: AsyncGenerator<StreamedBatch>, state: TrainingState, steps: number): Promise<TrainingState> {
    const { settings } = this.#options;
    const { accumulate, optimizer } = settings;
    const started = performance.now();
    const sum: Record<string, tf.Tensor> = {};
    const used: TrainingBatch[] = [];
    const losses: StepLoss[] = [];
    let [waited, next] = [0, state.next];
    const all: TrainingBatch[] = [];
    for (let part = 0; part < accumulate; part++) {
      const asked = performance.now();
      const { value } = await batches.next();
      waited += performance.now() - asked;
      const { batch, rejects } = value as StreamedBatch;
      next = (value as StreamedBatch).next;
      for (const reject of rejects) await this.tell({ event: 'reject', step: state.step + 1, ...reject });
      all.push(batch);
      if (batch.pairs === 0) continue;
      let draws = 0;
      const seeds = randomStream(settings.seed, STREAMS.dropout, state.step, part);
      // Seeds of one step are apart from each other, and their order is that of the model's layers.
      const drop = dropWith({ next: () => Math.floor(seeds.uniform() * 2 ** 31) + ++draws });
      const { gradients, ...loss } = await taggerGradients(
        this.#model,
        this.#tokenizer,
        batch,
        this.#optimizer.variables,
        drop,
      );
      addTo(sum, gradients, 1 / accumulate);
      used.push(batch);
      losses.push(loss);
    }
    const step = state.step + 1;
    if (used.length === 0) {
      await this.tell({ event: 'skipped', step, images: all.flatMap(({ images }) => images.map(({ id }) => id)) });
      return { ...state, step, next };
    }
    const { loss, parts } = meanLoss(losses);
    const gradient = await gradientLength(sum);
    if (!Number.isFinite(loss) || !Number.isFinite(gradient)) {
      tf.dispose(sum);
      await this.#diverged(state, used, loss, parts, gradient);
    }
    const { epoch } = used[0]!;
    const factor = rateFactor(settings.schedule, state.step, steps, epoch);
    this.#optimizer.apply(sum, factor, gradient);
    tf.dispose(sum);
    this.lastLoss = loss;
    await this.tell({
      event: 'step',
      step,
      epoch,
      loss,
      parts,
      gradient,
      rate: optimizer.rate * factor,
      images: count(used, ({ images }) => images.length),
      pairs: count(used, ({ pairs }) => pairs),
      positives: count(used, ({ positives }) => positives),
      seconds: seconds(performance.now() - started),
      waited: seconds(waited),
    });
    return { step, updates: this.#optimizer.steps, next };
  }

  /** Stops the run with everything saved: what it was, and the weights as they were before. */
  async #diverged(
    state: TrainingState,
    batches: readonly TrainingBatch[],
    loss: number,
    parts: LossParts,
    gradient: number,
  ): Promise<never> {
    const images = batches.flatMap((batch) => batch.images);
    const step = state.step + 1;
    await this.#save(state);
    const report = {
      step,
      epoch: batches[0]!.epoch,
      position: batches[0]!.position,
      loss: String(loss),
      gradient: String(gradient),
      parts: Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, String(value)])),
      images,
      texts: batches.map(({ texts }) => texts),
    };
    const path = join(this.#options.out, 'failure.json');
    await writeFile(path, `${JSON.stringify(report, null, 2)}\n`, { flush: true });
    const what = Number.isFinite(loss) ? `the gradient is ${gradient}` : `the loss is ${loss}`;
    throw new RelflowError(
      'diverged',
      `training: step ${step}: ${what} at images ${images.map(({ id }) => id).join(', ')}; see ${path}`,
      { step, images: images.map(({ id }) => id) },
    );
  }

  async #evaluate(validation: TrainingData, step: number): Promise<void> {
    const { settings } = this.#options;
    const options = { ...batchOptions(settings), noise: null, training: false, buffer: 1 };
    const losses: StepLoss[] = [];
    const { signal } = new AbortController();
    for await (const { batch } of epochBatches(validation, options, { epoch: 0, position: 0 }, signal))
      if (batch.pairs > 0) losses.push(await taggerLoss(this.#model, this.#tokenizer, batch));
    if (losses.length > 0) await this.tell({ event: 'evaluation', step, ...meanLoss(losses) });
  }

  async #save(state: TrainingState): Promise<void> {
    const path = await this.#checkpoints.write(state, this.#model.parameters, this.#optimizer, this.#options.keep);
    this.lastCheckpoint = path;
    await this.tell({ event: 'checkpoint', step: state.step, path });
  }

  async #tellStart(step: number, steps: number): Promise<void> {
    const { data, validation, backend } = this.#options;
    const { total, vocabularies, rejects, leftOut } = data.census;
    await this.tell({
      event: 'start',
      step,
      images: total,
      validation: validation?.census.total ?? 0,
      steps,
      relations: vocabularies.relations.names.length,
      objects: vocabularies.objects.names.length,
      rejects,
      leftOut,
      backend: backend.name,
      threads: backend.threads,
    });
  }
}

function addTo(sum: Record<string, tf.Tensor>, gradients: Record<string, tf.Tensor>, share: number): void {
  for (const [name, gradient] of Object.entries(gradients)) {
    const known = sum[name];
    if (!known && share === 1) {
      sum[name] = gradient;
      continue;
    }
    sum[name] = tf.tidy(() => {
      const part = share === 1 ? gradient : tf.mul(gradient, share);
      return known ? tf.add(known, part) : part;
    });
    known?.dispose();
    gradient.dispose();
  }
}

function meanLoss(losses: readonly StepLoss[]): StepLoss {
  const mean = (of: (loss: StepLoss) => number) => losses.reduce((sum, loss) => sum + of(loss), 0) / losses.length;
  const names = Object.keys(losses[0]!.parts) as (keyof LossParts)[];
  const parts = Object.fromEntries(names.map((name) => [name, mean((loss) => loss.parts[name])]));
  return { loss: mean(({ loss }) => loss), parts: parts as unknown as LossParts };
}

const count = (batches: readonly TrainingBatch[], of: (batch: TrainingBatch) => number): number =>
  batches.reduce((sum, batch) => sum + of(batch), 0);

const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000;
