import * as tf from '@tensorflow/tfjs-core';
import { requiresAsyncReads } from '../model/backends/backend-names.js';
import { type Dropout, noDropout } from '../model/layers/dropout.js';
import type { TrainingBatch } from './data/training-batch.js';
import type { LossTerms } from './loss/pair-losses.js';
import type { Matches } from './loss/pair-targets.js';

/** The parts of a loss, over all layers and without weights. */
export type LossParts = Readonly<Record<keyof LossTerms, number>>;

export interface StepLoss {
  readonly loss: number;
  readonly parts: LossParts;
}

export interface StepGradients extends StepLoss {
  /** By the variable's name; the caller disposes of them. */
  readonly gradients: Record<string, tf.Tensor>;
}

/** What a loss depends on beyond the model's tensors: numbers of a pass that have to be read for it. */
export interface ReadBack {
  /** Which query stands for which target: of each layer, of each image. */
  readonly matches: readonly (readonly Matches[])[];
  /** Of each image, `[pairs, relations]`, see `pseudoLabels`. */
  readonly pseudoLabels: readonly Float32Array[] | null;
}

/** What a batch becomes in a model. */
export interface Forward {
  /** What is done before each step, outside of what is differentiated. */
  prepare(batch: TrainingBatch): Promise<void>;
  /** A pass for nothing but what `run` would read in its own; absent where that is nothing. */
  readBack?(batch: TrainingBatch, drop: Dropout): Promise<ReadBack>;
  /**
   * The loss of all decoder layers, and its parts as one tensor in the order of `PARTS`.
   * @param known of the same batch and dropout; else it is read on the way, as not every backend can
   */
  run(batch: TrainingBatch, drop: Dropout, known?: ReadBack): { total: tf.Scalar; parts: tf.Tensor1D };
}

export const PARTS: readonly (keyof LossTerms)[] = [
  'labels',
  'relations',
  'subjectBoxes',
  'objectBoxes',
  'subjectGiou',
  'objectGiou',
];

/** The layers' terms as one tensor, part by part. */
export const summedParts = (terms: readonly LossTerms[]): tf.Tensor1D =>
  tf.stack(PARTS.map((name) => tf.addN(terms.map((term) => term[name])))) as tf.Tensor1D;

const named = (values: Float32Array): LossParts =>
  Object.fromEntries(PARTS.map((name, k) => [name, values[k]!])) as Record<keyof LossTerms, number>;

/** What a step needs to know of a batch before it, on this backend. */
async function readingsOf(forward: Forward, batch: TrainingBatch, drop: () => Dropout): Promise<ReadBack | undefined> {
  await forward.prepare(batch);
  return requiresAsyncReads(tf.getBackend()) ? forward.readBack?.(batch, drop()) : undefined;
}

/**
 * Loss of a batch and its gradients. Where the backend is read asynchronously alone, and the loss depends on what is read,
 * there is a pass for that before.
 *
 * @param variables what gradients are asked for
 * @param drop makes the dropout of a pass: that of one step is the same each time, that of another step another one
 */
export async function lossGradients(
  forward: Forward,
  batch: TrainingBatch,
  variables: tf.Variable[],
  drop: () => Dropout,
): Promise<StepGradients> {
  const known = await readingsOf(forward, batch, drop);
  let parts: tf.Tensor1D | undefined;
  const { value, grads } = tf.variableGrads(() => {
    const result = forward.run(batch, drop(), known);
    parts = tf.keep(result.parts);
    return result.total;
  }, variables);
  const loss = (await value.data())[0]!;
  const values = (await parts!.data()) as Float32Array;
  tf.dispose([value, parts!]);
  return { loss, parts: named(values), gradients: grads };
}

/** Loss of a batch without dropout and without gradients. */
export async function lossOnly(forward: Forward, batch: TrainingBatch): Promise<StepLoss> {
  const known = await readingsOf(forward, batch, () => noDropout);
  const { total, parts } = tf.tidy(() => forward.run(batch, noDropout, known));
  const [loss, values] = [(await total.data())[0]!, (await parts.data()) as Float32Array];
  tf.dispose([total, parts]);
  return { loss, parts: named(values) };
}
