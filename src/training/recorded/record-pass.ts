import * as tf from '@tensorflow/tfjs-core';
import { type Dropout, noDropout, seededDropout } from '../../model/layers/dropout.js';
import type { Parameter } from '../../model/parameter-scope.js';
import { type CollectedData, collectData } from '../../model/recording/collect-data.js';
import { dataTensor } from '../../model/recording/data-tensor.js';
import { type Recorded, type RecordOptions, recordKernels } from '../../model/recording/record-kernels.js';
import type { TrainingBatch } from '../data/training-batch.js';
import type { Forward } from '../loss-gradients.js';

/** A step for shapes that have not occurred before. */
export interface RecordingStarted {
  /** Images, height and width of the batch. */
  readonly shape: readonly number[];
  /** Kernel calls of the step. */
  readonly calls: number;
}

/** Describes the recording of a batch's step. */
export const recordingStarted = ({ sizes, height, width }: TrainingBatch, calls: number): RecordingStarted => ({
  shape: [sizes.length, height, width],
  calls,
});

/** Before a parameter's name, in the names of a recording's outputs. */
export const GRADIENT = 'gradient of ';

/** Before the name of an output that is read back, in the names of a recording's outputs. */
export const READ_BACK = 'read back ';

/** Returns the dropout of a pass that is recorded: each replay is given its seed anew. */
export const recordedDropout = (hasDropout: boolean, seed: number): Dropout =>
  hasDropout ? seededDropout(dataTensor<tf.Scalar>('dropout.seed', Int32Array.of(seed), [])) : noDropout;

type OnOutputs = NonNullable<Parameters<Forward['run']>[3]>;

/**
 * Records the loss of a batch and its gradients. The output `results` is `[1 + parts]`: the loss, then its parts in the order
 * of `LOSS_PARTS`; the gradient of a parameter is named `GRADIENT` and the parameter's name; outputs of the pass are named
 * `READ_BACK` and their name.
 * @param pass runs the forward pass, and calls a function with its outputs if they are to be read back
 */
export function recordPass(
  options: RecordOptions,
  parameters: readonly Parameter[],
  pass: (onOutputs: OnOutputs) => ReturnType<Forward['run']>,
): Recorded {
  return recordKernels(options, () => {
    const outputs: Record<string, tf.Tensor> = {};
    let parts: tf.Tensor1D | undefined;
    const { value, grads } = tf.variableGrads(
      () => {
        const result = pass((found) => {
          for (const [name, output] of Object.entries(found)) outputs[`${READ_BACK}${name}`] = tf.keep(output);
        });
        parts = tf.keep(result.parts);
        return result.total;
      },
      parameters.map(({ variable }) => variable),
    );
    const gradients = parameters.flatMap(({ name, variable }) =>
      grads[variable.name] ? [[`${GRADIENT}${name}`, grads[variable.name]!] as const] : [],
    );
    const results = tf.concat([tf.reshape(value, [1]), parts!]);
    const readBack = Object.fromEntries(Object.entries(outputs).map(([name, output]) => [name, tf.clone(output)]));
    // Kept tensors outlive the pass.
    tf.dispose([parts!, outputs]);
    return { results, ...Object.fromEntries(gradients), ...readBack };
  });
}

/** Ways to the data of a pass. */
export interface PassDataOptions {
  /** Makes the data of the dropout. */
  readonly dropout: () => void;
  /** Makes the other data alone. @returns false if the pass has to be run for it */
  readonly alone: () => boolean;
  readonly pass: () => void;
}

/** Returns the data of a pass; the whole pass is walked for it where the data cannot be made alone. */
export function passData(options: RecordOptions, { dropout, alone, pass }: PassDataOptions): CollectedData {
  let isComplete = false;
  const data = collectData(options, () => {
    dropout();
    isComplete = alone();
  });
  return isComplete ? data : collectData(options, pass);
}
