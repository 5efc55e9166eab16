import * as tf from '@tensorflow/tfjs-core';
import { type Dropout, keepAll } from '../model/layers/dropout.js';
import type { LossTerms } from './losses.js';
import type { TrainingBatch } from './training-batch.js';

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

/** What a batch becomes in a model. */
export interface Forward {
  /** What is done before each step, outside of what is differentiated. */
  prepare(batch: TrainingBatch): Promise<void>;
  /** The loss of all decoder layers, and its parts as one tensor in the order of `PARTS`. */
  run(batch: TrainingBatch, drop: Dropout): { total: tf.Scalar; parts: tf.Tensor1D };
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

/**
 * Loss of a batch and its gradients.
 * @param variables what gradients are asked for
 * @param drop with seeds of its own for each step
 */
export async function lossGradients(
  forward: Forward,
  batch: TrainingBatch,
  variables: tf.Variable[],
  drop: Dropout,
): Promise<StepGradients> {
  await forward.prepare(batch);
  let parts: tf.Tensor1D | undefined;
  const { value, grads } = tf.variableGrads(() => {
    const result = forward.run(batch, drop);
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
  await forward.prepare(batch);
  const { total, parts } = tf.tidy(() => forward.run(batch, keepAll));
  const [loss, values] = [(await total.data())[0]!, (await parts.data()) as Float32Array];
  tf.dispose([total, parts]);
  return { loss, parts: named(values) };
}
