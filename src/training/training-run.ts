import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../errors.js';
import { type Dropout, noDropout, seededDropout } from '../model/layers/dropout.js';
import type { RlipV2 } from '../model/rlip-v2.js';
import type { Checkpoints, TrainingState } from './checkpoint.js';
import type { AugmentedImageReader } from './data/augmented-image-reader.js';
import { type BatchStreamOptions, batchStream, epochBatches, type StreamedBatch } from './data/batch-stream.js';
import { randomStream, STREAMS } from './data/random-stream.js';
import type { TrainingBatch } from './data/training-batch.js';
import type { TrainingData } from './data/training-data.js';
import { type AdamW, gradientNorm } from './optimizer/adam-w.js';
import type { Ema } from './optimizer/ema.js';
import { scheduleFactor } from './optimizer/schedule.js';
import { batchOptions, type RunSettings, totalSteps } from './settings/run-settings.js';
import { type TrainingEvent, TrainingLog } from './training-log.js';
import { type Forward, type LossParts, lossGradients, lossOnly, type StepLoss } from './training-step.js';

export interface TrainOptions {
  readonly settings: RunSettings;
  readonly data: TrainingData;
  readonly validation?: TrainingData;
  /** The run's folder: `log.jsonl`, `checkpoints/`, at the end `weights.safetensors` and `curves.html`. */
  readonly out: string;
  /** Whether to go on from the newest checkpoint in the folder. */
  readonly resume: boolean;
  /** Weights of the whole model. */
  readonly initialWeights?: string;
  /** Weights of another: what has the same name and shape is taken, the rest is drawn from the seed. */
  readonly startFrom?: string;
  /** Folder with RoBERTa's tokenizer.json; models with a vocabulary of bytes need none. */
  readonly tokenizer?: string;
  /** Batches that are read ahead. */
  readonly prefetch: number;
  /** Threads that read images; 0 for this one. Default: one less than there are processors, at most 4. */
  readonly readers?: number;
  /** Megabytes of decoded images that stay in memory. Default 0. */
  readonly keepImages?: number;
  readonly checkpointEvery: number;
  readonly keep: number;
  /** Null for the end of each epoch. */
  readonly evaluateEvery: number | null;
  readonly backend: { readonly name: string; readonly threads: number };
  readonly onEvent?: (event: TrainingEvent) => void;
  /** Ends the run behind the step at hand, with a checkpoint. */
  readonly stop: AbortSignal;
}

/** What a run works on. */
export interface RunParts {
  readonly model: RlipV2;
  readonly forward: Forward;
  readonly optimizer: AdamW;
  readonly average: Ema | null;
  readonly checkpoints: Checkpoints;
  /** The caller's, who closes it. */
  readonly reader: AugmentedImageReader;
  readonly started: number | null;
}

/** One run of a model's training, from a state to its end or stop. */
export class TrainingRun {
  readonly #options: TrainOptions;
  readonly #model: RlipV2;
  readonly #forward: Forward;
  readonly #optimizer: AdamW;
  readonly #average: Ema | null;
  readonly #started: number | null;
  readonly #checkpoints: Checkpoints;
  readonly #reader: AugmentedImageReader;
  readonly #log: TrainingLog;
  lastLoss: number | null = null;
  lastCheckpoint = '';
  finished = false;

  constructor(options: TrainOptions, { model, forward, optimizer, average, checkpoints, reader, started }: RunParts) {
    this.#options = options;
    this.#model = model;
    this.#forward = forward;
    this.#optimizer = optimizer;
    this.#average = average;
    this.#started = started;
    this.#checkpoints = checkpoints;
    this.#reader = reader;
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
    const batches = batchStream(data, this.#batchOptions(), from.next, new AbortController().signal);
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

  #batchOptions(): BatchStreamOptions {
    return batchOptions(this.#options.settings, this.#reader, this.#options.prefetch);
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
      const drop = () => this.#dropout(state.step, part);
      const { gradients, ...loss } = await lossGradients(this.#forward, batch, this.#optimizer.variables, drop);
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
    const gradient = await gradientNorm(sum);
    if (!Number.isFinite(loss) || !Number.isFinite(gradient)) {
      tf.dispose(sum);
      await this.#diverged(state, used, loss, parts, gradient);
    }
    const { epoch } = used[0]!;
    const factor = scheduleFactor(settings.schedule, state.step, steps, epoch);
    this.#optimizer.apply(sum, factor, gradient);
    this.#average?.follow(this.#optimizer.steps);
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

  /** The dropout of a pass, the same each time for a part of a step. */
  #dropout(step: number, part: number): Dropout {
    const { seed, model } = this.#options.settings;
    if (model.dropout <= 0 && !model.textDropout) return noDropout;
    const seeds = randomStream(seed, STREAMS.dropout, step, part);
    let draws = 0;
    // Seeds of one step are apart from each other, and their order is that of the model's layers.
    return seededDropout({ next: () => Math.floor(seeds.next() * 2 ** 31) + ++draws });
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
    const { paraphrases: _, ...rest } = this.#batchOptions();
    const options = { ...rest, noise: null, training: false, buffer: 1 };
    const losses: StepLoss[] = [];
    const { signal } = new AbortController();
    // What is judged is what the run would give away.
    this.#average?.exchange();
    try {
      for await (const { batch } of epochBatches(validation, options, { epoch: 0, position: 0 }, signal))
        if (batch.pairs > 0) losses.push(await lossOnly(this.#forward, batch));
    } finally {
      this.#average?.exchange();
    }
    if (losses.length > 0) await this.tell({ event: 'evaluation', step, ...meanLoss(losses) });
  }

  async #save(state: TrainingState): Promise<void> {
    const parts = { parameters: this.#model.parameters, optimizer: this.#optimizer, average: this.#average };
    const path = await this.#checkpoints.write(state, parts, this.#options.keep);
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
      ...(this.#started !== null && { startedFrom: this.#started }),
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
