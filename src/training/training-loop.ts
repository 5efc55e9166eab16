import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../errors.js';
import type { Parameter } from '../model/parameter-scope.js';
import type { Id } from '../records/image.js';
import { accumulateGradients } from './accumulate-gradients.js';
import type { Checkpoints, TrainingState } from './checkpoints.js';
import { type BatchStreamOptions, batchStream } from './data/batch-stream.js';
import type { TrainingData } from './data/training-data.js';
import { divergedError } from './diverged-error.js';
import { evaluateLoss } from './evaluate-loss.js';
import type { Forward } from './loss-gradients.js';
import type { AdamW } from './optimizer/adam-w.js';
import type { Ema } from './optimizer/ema.js';
import { clipFactor, gradientNorm } from './optimizer/gradient-norm.js';
import { scheduleFactor } from './optimizer/schedule.js';
import { totalSteps } from './settings/total-steps.js';
import type { TrainingSettings } from './settings/training-settings.js';
import { stepDropout } from './step-dropout.js';
import type { TrainingLog } from './training-log.js';

/** Everything that `trainingLoop` works on. */
export interface TrainingLoopOptions {
  readonly settings: TrainingSettings;
  readonly data: TrainingData;
  readonly validation: TrainingData | null;
  readonly forward: Forward;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly optimizer: AdamW;
  readonly ema: Ema | null;
  readonly batches: BatchStreamOptions;
  readonly checkpoints: Checkpoints;
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
  const { settings, data, validation, forward, optimizer, ema, log } = run;
  const steps = totalSteps(settings, data.summary.total);
  const batches = batchStream(data, run.batches, from.next, run.signal);
  let state = from;
  let loss: number | null = null;
  let validationLoss: number | null = null;
  const unread = new Map<string, Set<Id>>();
  let saved = { step: -1, path: '' };
  const save = async () => {
    // A resume continues the log at the step of the checkpoint.
    await log.sync();
    saved = { step: state.step, path: await run.checkpoints.write(state, run).catch(rethrowAsDiverged(state.step)) };
    await log.add({ event: 'checkpoint', ...saved });
  };
  try {
    while (state.step < steps && !run.stop.aborted) {
      run.signal.throwIfAborted();
      const started = performance.now();
      const step = state.step + 1;
      const dropout = (part: number) => stepDropout(settings, state.step, part);
      const sum = await accumulateGradients(batches, settings.accumulationSteps, forward, optimizer.variables, dropout);
      for (const reject of sum.rejects) {
        await log.add({ event: 'reject', step, ...reject });
        unread.set(reject.reason, (unread.get(reject.reason) ?? new Set()).add(reject.image));
      }
      if (sum.mean === null) await log.add({ event: 'skipped', step, images: sum.images });
      else {
        // A pass that found no loss has no gradients.
        const norm = Number.isFinite(sum.mean.loss) ? await gradientNorm(sum.gradients) : Number.NaN;
        if (!Number.isFinite(norm)) {
          tf.dispose(sum.gradients);
          await save().catch((error: unknown) => {
            // The weights before this step may be the reason; the report of this step says more.
            if (!isDiverged(error)) throw error;
          });
          throw await divergedError(run.failureFile, step, sum.batches, sum.mean, norm);
        }
        const epoch = sum.batches[0]!.epoch;
        const factor = scheduleFactor(settings.schedule, state.step, steps, epoch);
        optimizer.apply(sum.gradients, factor, clipFactor(norm, settings.optimizer.maxGradientNorm));
        tf.dispose(sum.gradients);
        ema?.update(optimizer.steps);
        loss = sum.mean.loss;
        const rates = { gradientNorm: norm, learningRate: settings.optimizer.learningRate * factor };
        const times = { seconds: seconds(performance.now() - started), waited: seconds(sum.waited) };
        await log.add({ event: 'step', step, epoch, ...sum.mean, ...rates, ...sum.counts, ...times });
      }
      const previous = state;
      state = { step, updates: optimizer.steps, next: sum.next };
      if (validation && isEvaluationStep(run, previous, state)) {
        const mean = await evaluateLoss(forward, ema, validation, run.batches, run.signal);
        if (mean && !Number.isFinite(mean.loss)) {
          await save();
          throw new RelflowError(
            'diverged',
            `training: step ${step}: the loss of the validation data is ${mean.loss}`,
            {
              step,
            },
          );
        }
        validationLoss = mean?.loss ?? null;
        if (mean) await log.add({ event: 'evaluation', step, ...mean });
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

/** Returns a handler that reports weights that cannot be written since they are not finite. */
const rethrowAsDiverged = (step: number) => (error: unknown) => {
  if (!(error instanceof RelflowError && error.code === 'bad-weights')) throw error;
  throw new RelflowError(
    'diverged',
    `training: step ${step}: ${error.message}; the checkpoints before it are kept`,
    { step },
    { cause: error },
  );
};

function isEvaluationStep(
  { settings, data, evaluateEvery }: TrainingLoopOptions,
  previous: TrainingState,
  state: TrainingState,
): boolean {
  if (evaluateEvery !== null) return state.step % evaluateEvery === 0;
  // An epoch is done when it has no further full batch.
  const epochs = ({ next: { epoch, position } }: TrainingState) =>
    position + settings.batchSize > data.summary.total ? epoch + 1 : epoch;
  return epochs(state) > epochs(previous);
}

const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000;
