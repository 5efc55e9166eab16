import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../errors.js';
import type { Id } from '../records/image.js';
import type { StreamedBatch } from './data/batch-stream.js';
import type { DataPosition, TrainingBatch } from './data/training-batch.js';
import { LOSS_PARTS, type LossParts, type StepGradients, type StepLoss } from './loss-gradients.js';

/** What is known of a batch after its gradients are computed: without its pixels. */
export type BatchSummary = Pick<TrainingBatch, 'epoch' | 'position' | 'images' | 'labels' | 'pairs' | 'positives'>;

/** The gradients of one step, and what they were computed from. */
export interface AccumulatedGradients {
  /** By the variable's name, averaged over the batches; the caller disposes of them. Incomplete if the loss is NaN. */
  readonly gradients: Record<string, tf.Tensor>;
  /** Mean loss of the batches with pairs; null if there is none. */
  readonly mean: StepLoss | null;
  /** The batch whose loss is not finite, after which no other is computed, and its loss; null if there is none. */
  readonly diverged: { readonly batch: BatchSummary; readonly loss: StepLoss } | null;
  /** The batches with pairs. */
  readonly batches: readonly BatchSummary[];
  /** Sums over the batches with pairs. */
  readonly counts: { readonly images: number; readonly pairs: number; readonly positives: number };
  /** Of all batches. */
  readonly images: readonly Id[];
  readonly rejects: StreamedBatch['rejects'];
  /** Where the next batch begins. */
  readonly next: DataPosition;
  /** Milliseconds spent waiting for data. */
  readonly waited: number;
}

/**
 * Reads the batches of one step, and averages their gradients. A batch without pairs counts as zeros.
 *
 * @param count batches of the step
 * @param compute computes the loss and the gradients of the k-th batch; `isLater` if an earlier one has pairs
 */
export async function accumulateGradients(
  stream: AsyncGenerator<StreamedBatch>,
  count: number,
  compute: (batch: TrainingBatch, part: number, isLater: boolean) => Promise<StepGradients>,
): Promise<AccumulatedGradients> {
  const sum: Record<string, tf.Tensor> = {};
  const [all, used]: [BatchSummary[], BatchSummary[]] = [[], []];
  const losses: StepLoss[] = [];
  const rejects: StreamedBatch['rejects'][number][] = [];
  let diverged: AccumulatedGradients['diverged'] = null;
  let waited = 0;
  let next: DataPosition | undefined;
  try {
    for (let part = 0; part < count; part++) {
      const waitStart = performance.now();
      const streamed = (await stream.next()).value as StreamedBatch;
      waited += performance.now() - waitStart;
      const { batch } = streamed;
      next = streamed.next;
      rejects.push(...streamed.rejects);
      const summary = batchSummary(batch);
      all.push(summary);
      if (batch.pairs === 0) continue;
      used.push(summary);
      const { gradients, ...loss } = await compute(batch, part, used.length > 1).catch(
        (error: unknown): StepGradients => ({ ...orNotFinite(error), gradients: {} }),
      );
      losses.push(loss);
      if (!Number.isFinite(loss.loss)) {
        tf.dispose(gradients);
        diverged = { batch: summary, loss };
        break;
      }
      addTo(sum, gradients, 1 / count);
    }
  } catch (error) {
    tf.dispose(sum);
    throw error;
  }
  const total = (of: (batch: BatchSummary) => number) => used.reduce((before, batch) => before + of(batch), 0);
  return {
    gradients: sum,
    mean: losses.length > 0 ? accumulatedMeanLoss(losses) : null,
    diverged,
    batches: used,
    counts: {
      images: total(({ images }) => images.length),
      pairs: total(({ pairs }) => pairs),
      positives: total(({ positives }) => positives),
    },
    images: all.flatMap(({ images }) => images.map(({ id }) => id)),
    rejects,
    next: next!,
    waited,
  };
}

/** Returns what is known of a batch without its pixels. */
export const batchSummary = ({ epoch, position, images, labels, pairs, positives }: TrainingBatch): BatchSummary => ({
  epoch,
  position,
  images,
  labels,
  pairs,
  positives,
});

/** Returns a loss that is NaN if the model's outputs were not finite, so that there is no loss to compute. */
export function orNotFinite(error: unknown): StepLoss {
  if (!(error instanceof RelflowError && error.code === 'diverged')) throw error;
  const parts = Object.fromEntries(LOSS_PARTS.map((name) => [name, Number.NaN])) as unknown as LossParts;
  return { loss: Number.NaN, parts };
}

/** The mean of losses and of their parts. */
export function accumulatedMeanLoss(losses: readonly StepLoss[]): StepLoss {
  const mean = (of: (loss: StepLoss) => number) => losses.reduce((sum, loss) => sum + of(loss), 0) / losses.length;
  const names = Object.keys(losses[0]!.parts) as (keyof LossParts)[];
  const parts = Object.fromEntries(names.map((name) => [name, mean((loss) => loss.parts[name])]));
  return { loss: mean(({ loss }) => loss), parts: parts as unknown as LossParts };
}

/** Adds weighted gradients to a sum, and disposes of them. */
function addTo(sum: Record<string, tf.Tensor>, gradients: Record<string, tf.Tensor>, weight: number): void {
  for (const [name, gradient] of Object.entries(gradients)) {
    const known = sum[name];
    if (!known && weight === 1) {
      sum[name] = gradient;
      continue;
    }
    sum[name] = tf.tidy(() => {
      const part = weight === 1 ? gradient : tf.mul(gradient, weight);
      return known ? tf.add(known, part) : part;
    });
    known?.dispose();
    gradient.dispose();
  }
}
