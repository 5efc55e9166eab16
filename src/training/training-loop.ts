import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../errors.js';
import type { Parameter } from '../model/parameter-scope.js';
import type { Id } from '../records/image.js';
import { accumulateGradients, type BatchSummary } from './accumulate-gradients.js';
import type { BestWeights } from './best-weights.js';
import type { Checkpoints, TrainingState } from './checkpoints.js';
import { type BatchStreamOptions, batchStream } from './data/batch-stream.js';
import type { TrainingData } from './data/training-data.js';
import { type Divergence, divergedError } from './diverged-error.js';
import { evaluateLoss } from './evaluate-loss.js';
import type { AdamW } from './optimizer/adam-w.js';
import type { Ema } from './optimizer/ema.js';
import { scheduleFactor } from './optimizer/schedule.js';
import { totalSteps } from './settings/total-steps.js';
import type { TrainingSettings } from './settings/training-settings.js';
import type { StepEngine } from './step-engine.js';
import type { TrainingLog } from './training-log.js';

/** Everything that `trainingLoop` works on. */
export interface TrainingLoopOptions {
  readonly settings: TrainingSettings;
  readonly data: TrainingData;
  readonly validation: TrainingData | null;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly optimizer: AdamW;
  readonly ema: Ema | null;
  readonly engine: StepEngine;
  readonly batches: BatchStreamOptions;
  readonly checkpoints: Checkpoints;
  /** Scores the weights every few epochs; null for no scores. */
  readonly best: BestWeights | null;
  /** In steps. */
  readonly checkpointEvery: number;
  /** In steps; null for the end of each epoch. */
  readonly evaluateEvery: number | null;
  readonly log: TrainingLog;
  /** Receives a report when the training diverges. */
  readonly failureFile: string;
  /** Ends the loop after the current step, with a checkpoint. */
  readonly stop: AbortSignal;
  /** Ends the loop after the current step, without a checkpoint. */
  readonly signal: AbortSignal;
}

/** How a loop ended. */
export interface TrainingLoopResult {
  readonly step: number;
  /** Whether the last step is done. */
  readonly finished: boolean;
  /** The newest checkpoint. */
  readonly checkpoint: string;
  /** The last ones of this loop; null if there was none. */
  readonly loss: number | null;
  readonly validationLoss: number | null;
  /** Number of distinct images that could not be read in this loop, by reason. */
  readonly unread: Readonly<Record<string, number>>;
}

/**
 * Trains from a state to the last step, or until it is stopped.
 * @throws RelflowError (`diverged`) when a loss, a gradient or a weight is not finite
 */
export async function trainingLoop(run: TrainingLoopOptions, from: TrainingState): Promise<TrainingLoopResult> {
  const { settings, data, validation, ema, engine, log } = run;
  const steps = totalSteps(settings, data.summary.total);
  const batches = batchStream(data, run.batches, from.next, run.signal);
  let state = from;
  let loss: number | null = null;
  let validationLoss: number | null = null;
  const unread = new Map<string, Set<Id>>();
  let saved = { step: -1, path: '' };
  /** The batches of the last step that changed the weights. */
  let lastBatches: readonly BatchSummary[] = [];
  const save = async () => {
    // A resume continues the log at the step of the checkpoint.
    await log.sync();
    await engine.sync();
    const path = await run.checkpoints.write(state, run).catch(async (error: unknown) => {
      if (!(error instanceof RelflowError && error.code === 'bad-weights')) throw error;
      const problem = `${error.message}; the checkpoints before it are kept`;
      throw await divergedError(run.failureFile, { step: state.step, problem, batches: lastBatches });
    });
    saved = { step: state.step, path };
    await log.add({ event: 'checkpoint', ...saved });
  };
  /** Saves the weights from before what diverged, unless they are the reason, and returns its error. */
  const fail = async (divergence: Divergence) => {
    await save().catch((error: unknown) => {
      if (!isDiverged(error)) throw error;
    });
    return divergedError(run.failureFile, divergence);
  };
  try {
    while (state.step < steps && !run.stop.aborted) {
      run.signal.throwIfAborted();
      const started = performance.now();
      const step = state.step + 1;
      const factorOf = (epoch: number) => scheduleFactor(settings.schedule, state.step, steps, epoch);
      const sum = await accumulateGradients(batches, settings.accumulationSteps, (batch, part, isLater) =>
        engine.gradients(batch, { step: state.step, part, isLater, scheduleFactor: factorOf(batch.epoch) }),
      );
      for (const reject of sum.rejects) {
        await log.add({ event: 'reject', step, ...reject });
        unread.set(reject.reason, (unread.get(reject.reason) ?? new Set()).add(reject.image));
      }
      if (sum.mean === null) await log.add({ event: 'skipped', step, images: sum.images });
      else {
        const epoch = sum.batches[0]!.epoch;
        const factor = factorOf(epoch);
        if (sum.diverged) tf.dispose(sum.gradients);
        // A pass that found no loss has no gradients.
        const norm = sum.diverged ? Number.NaN : await engine.update(sum.gradients, factor);
        if (!Number.isFinite(norm)) {
          const { batch, loss: found } = sum.diverged ?? {};
          const { loss: value } = found ?? sum.mean;
          throw await fail({
            step,
            problem: found ? `the loss is ${value}` : `the gradient norm is ${norm}`,
            batches: batch ? [batch] : sum.batches,
            loss: found ?? sum.mean,
            gradientNorm: norm,
          });
        }
        lastBatches = sum.batches;
        loss = sum.mean.loss;
        const rates = { gradientNorm: norm, learningRate: settings.optimizer.learningRate * factor };
        const times = { seconds: seconds(performance.now() - started), waited: seconds(sum.waited) };
        await log.add({ event: 'step', step, epoch, ...sum.mean, ...rates, ...sum.counts, ...times });
      }
      const previous = state;
      state = { step, updates: engine.updates, next: sum.next };
      if (validation && isEvaluationStep(run, previous, state)) {
        await engine.sync();
        const mean = await evaluateLoss(engine, ema, validation, run.batches, run.signal);
        if (mean?.diverged)
          throw await fail({
            step,
            problem: `the loss of the validation data is ${mean.loss}`,
            batches: [mean.diverged],
            loss: mean,
            isValidation: true,
          });
        validationLoss = mean?.loss ?? null;
        if (mean) await log.add({ event: 'evaluation', step, loss: mean.loss, parts: mean.parts });
      }
      if (run.best && isScoredStep(run.best, run, previous, state, steps)) {
        const scoring = performance.now();
        await engine.sync();
        const result = await run.best
          .evaluate(run.parameters, ema, run.signal)
          .catch(rethrowAsDiverged(fail, step, lastBatches));
        const took = seconds(performance.now() - scoring);
        await log.add({ event: 'benchmark', step, benchmark: run.best.evaluator.name, ...result, seconds: took });
      }
      if (step % run.checkpointEvery === 0) await save();
    }
  } finally {
    await batches.return(undefined);
  }
  if (saved.step !== state.step) await save();
  return {
    ...{ step: state.step, finished: state.step >= steps, checkpoint: saved.path, loss, validationLoss },
    unread: Object.fromEntries([...unread].map(([reason, images]) => [reason, images.size])),
  };
}

const isDiverged = (error: unknown): boolean => error instanceof RelflowError && error.code === 'diverged';

/** Returns a handler that reports weights that cannot be scored since they are not finite. */
const rethrowAsDiverged =
  (fail: (divergence: Divergence) => Promise<Error>, step: number, batches: readonly BatchSummary[]) =>
  async (error: unknown): Promise<never> => {
    if (!(error instanceof RelflowError && ['bad-weights', 'diverged', 'bad-score'].includes(error.code))) throw error;
    throw await fail({ step, problem: error.message, batches });
  };

/** Number of epochs that are done: an epoch is when it has no further full batch. */
const epochsDone = ({ settings, data }: TrainingLoopOptions, { next: { epoch, position } }: TrainingState): number =>
  position + settings.batchSize > data.summary.total ? epoch + 1 : epoch;

function isEvaluationStep(run: TrainingLoopOptions, previous: TrainingState, state: TrainingState): boolean {
  if (run.evaluateEvery !== null) return state.step % run.evaluateEvery === 0;
  return epochsDone(run, state) > epochsDone(run, previous);
}

function isScoredStep(
  { evaluator: { everyEpochs } }: BestWeights,
  run: TrainingLoopOptions,
  previous: TrainingState,
  state: TrainingState,
  steps: number,
): boolean {
  const rounds = (at: TrainingState) => Math.floor(epochsDone(run, at) / everyEpochs);
  return state.step === steps || rounds(state) > rounds(previous);
}

const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000;
