import * as tf from '@tensorflow/tfjs-core';
import { requiresAsyncReads } from '../model/backends/backend-names.js';
import { type Dropout, noDropout } from '../model/layers/dropout.js';
import type { TrainingBatch } from './data/training-batch.js';
import type { LossTerms } from './loss/pair-losses.js';
import type { Matches } from './loss/pair-targets.js';

/** The terms of a loss, summed over all layers, without weights. */
export type LossParts = Readonly<Record<keyof LossTerms, number>>;

/** The loss of a batch and its parts. */
export interface StepLoss {
  readonly loss: number;
  readonly parts: LossParts;
}

/** The loss of a batch, its parts and its gradients. */
export interface StepGradients extends StepLoss {
  /** By the variable's name; the caller disposes of them. */
  readonly gradients: Record<string, tf.Tensor>;
}

/** Values that must be read back from the device before the loss can be computed. */
export interface ReadBack {
  /** The matches of each image, by decoder layer. */
  readonly matches: readonly (readonly Matches[])[];
  /** `[pairs, relations]` for each image, see `pseudoLabels`; null if they are not used. */
  readonly pseudoLabels: readonly Float32Array[] | null;
}

/** Reads back what a loss needs from a pass of its own, or from the first part of the same pass. */
export interface BeforeRun {
  /** Runs a pass. @returns the outputs that are read back, by name */
  outputs(batch: TrainingBatch, drop: Dropout): Record<string, tf.Tensor>;
  /** Makes the tensors that depend on the data of `outputs`, as `Forward.collectData` does for `run`. */
  collectData(batch: TrainingBatch): boolean;
  /** Makes the tensors that depend on the data of `run`, but not on those of `outputs`. */
  collectTargets(batch: TrainingBatch, known: ReadBack): void;
  /** Computes what `run` needs from the outputs of a pass. */
  readBack(outputs: Readonly<Record<string, tf.Tensor>>, batch: TrainingBatch): Promise<ReadBack>;
  /** Returns something of the same form, for a `run` that is recorded. */
  placeholder(batch: TrainingBatch): ReadBack;
}

/** The forward pass of a training: from a batch to its loss. */
export interface Forward {
  /** Prepares a pass, outside of the differentiated function. */
  prepare(batch: TrainingBatch): Promise<void>;
  /** What `run` needs to have read back; missing if it needs nothing. */
  readonly before?: BeforeRun;
  /**
   * Makes the tensors that depend on the data of `run`, and no others; missing if `run` has to be called for them.
   * @returns false if `run` has to be called first
   */
  collectData?(batch: TrainingBatch): boolean;
  /**
   * Computes the loss of all decoder layers, and its parts in the order of `LOSS_PARTS`.
   * @param known what `before` reads back for the same batch and dropout; if omitted, `run` reads synchronously, which
   *   not every backend can
   * @param onOutputs receives what `before.outputs` returns, in this pass
   */
  run(
    batch: TrainingBatch,
    drop: Dropout,
    known?: ReadBack,
    onOutputs?: (outputs: Readonly<Record<string, tf.Tensor>>) => void,
  ): { total: tf.Scalar; parts: tf.Tensor1D };
}

export const LOSS_PARTS: readonly (keyof LossTerms)[] = [
  'labels',
  'relations',
  'subjectBoxes',
  'objectBoxes',
  'subjectGiou',
  'objectGiou',
];

/** Sums each term over the layers, in the order of `LOSS_PARTS`. */
export const summedLossParts = (layers: readonly LossTerms[]): tf.Tensor1D =>
  tf.stack(LOSS_PARTS.map((name) => tf.addN(layers.map((terms) => terms[name])))) as tf.Tensor1D;

/** Names the parts of a loss. @param values in the order of `LOSS_PARTS` */
export const namedParts = (values: Float32Array): LossParts =>
  Object.fromEntries(LOSS_PARTS.map((name, k) => [name, values[k]!])) as Record<keyof LossTerms, number>;

/** Prepares a pass, and reads back what it needs if the backend cannot read synchronously. */
async function preparePass(forward: Forward, batch: TrainingBatch, drop: () => Dropout): Promise<ReadBack | undefined> {
  await forward.prepare(batch);
  const { before } = forward;
  if (!before || !requiresAsyncReads(tf.getBackend())) return undefined;
  const outputs = tf.tidy(() => before.outputs(batch, drop()));
  const known = await before.readBack(outputs, batch);
  tf.dispose(outputs);
  return known;
}

/**
 * Computes the loss of a batch and its gradients. A backend that cannot read synchronously runs the forward pass twice
 * if the loss depends on values that are read back.
 *
 * @param variables whose gradients are computed
 * @param drop makes the dropout of a pass, the same for each pass of one step
 */
export async function lossGradients(
  forward: Forward,
  batch: TrainingBatch,
  variables: tf.Variable[],
  drop: () => Dropout,
): Promise<StepGradients> {
  const known = await preparePass(forward, batch, drop);
  let parts: tf.Tensor1D | undefined;
  const { value, grads } = tf.variableGrads(() => {
    const result = forward.run(batch, drop(), known);
    parts = tf.keep(result.parts);
    return result.total;
  }, variables);
  const loss = (await value.data())[0]!;
  const values = (await parts!.data()) as Float32Array;
  tf.dispose([value, parts!]);
  return { loss, parts: namedParts(values), gradients: grads };
}

/** Computes the loss of a batch without dropout and without gradients. */
export async function lossOnly(forward: Forward, batch: TrainingBatch): Promise<StepLoss> {
  const known = await preparePass(forward, batch, () => noDropout);
  const { total, parts } = tf.tidy(() => forward.run(batch, noDropout, known));
  const [loss, values] = [(await total.data())[0]!, (await parts.data()) as Float32Array];
  tf.dispose([total, parts]);
  return { loss, parts: namedParts(values) };
}
