import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { hasKernel, runKernel } from '../../model/ops/custom-kernel.js';
import type { Parameter } from '../../model/parameter-scope.js';
import { type Bucket, bucketsOf, join, joinNumbers, readNumbers, split, takeVariable } from './parameter-buckets.js';

/** Returns the decay of the average after a step, counted from 1. */
export const averageDecay = (decay: number, step: number): number => Math.min(decay, (1 + step) / (10 + step));

/** The averages of a bucket's parameters, joined. */
export interface Average {
  readonly bucket: Bucket;
  readonly average: tf.Variable;
}

/**
 * The exponential moving average of a model's trained weights, which often generalizes better than the last weights.
 *
 *     a ← d·a + (1 − d)·w,   d = min(decay, (1 + t) / (10 + t)) after step t
 *
 * Source: Polyak and Juditsky, 1992; the rising decay is that of TensorFlow's ExponentialMovingAverage.
 */
export class Ema {
  readonly #decay: number;
  readonly #averages: readonly Average[];

  /** @param decay in [0, 1) */
  constructor(parameters: Iterable<Parameter>, decay: number) {
    this.#decay = decay;
    const trained = [...parameters].filter((parameter) => parameter.trained);
    this.#averages = bucketsOf(trained).map((bucket) => ({
      bucket,
      average: takeVariable(tf.tidy(() => tf.clone(joinedWeights(bucket)))),
    }));
  }

  /**
   * Updates the average with the weights after a step.
   * @param step counted from 1
   */
  update(step: number): void {
    const decay = averageDecay(this.#decay, step);
    const updated = (mean: tf.Tensor, x: tf.Tensor) =>
      hasKernel('RelflowMovingAverage')
        ? runKernel('RelflowMovingAverage', { mean, x }, { decay })[0]!
        : tf.add(tf.mul(mean, decay), tf.mul(x, 1 - decay));
    for (const { bucket, average } of this.#averages)
      tf.tidy(() => average.assign(updated(average, joinedWeights(bucket))));
  }

  /** The averages, for an update that is made elsewhere and changes them in place. */
  get averages(): readonly Average[] {
    return this.#averages;
  }

  /** Exchanges the model's weights with the average; a second call restores both. */
  exchange(): void {
    for (const { bucket, average } of this.#averages)
      tf.tidy(() => {
        const weights = tf.clone(joinedWeights(bucket));
        for (const [k, part] of split(bucket, average).entries()) bucket[k]!.variable.assign(part);
        average.assign(weights);
      });
  }

  /** Reads the average, by the parameter's name and in TensorFlow.js's layout. */
  async state(): Promise<Map<string, Float32Array>> {
    const values = new Map<string, Float32Array>();
    for (const { bucket, average } of this.#averages) {
      const numbers = await readNumbers(bucket, average);
      for (const [k, { name }] of bucket.entries()) values.set(name, numbers[k]!);
    }
    return values;
  }

  /** @throws RelflowError (`bad-checkpoint`) when the state belongs to another model */
  restore(state: ReadonlyMap<string, Float32Array>): void {
    for (const { bucket, average } of this.#averages) {
      const arrays = bucket.map(({ name, size }) => {
        const values = state.get(name);
        if (values?.length === size) return values;
        throw new RelflowError(
          'bad-checkpoint',
          `average: ${name} has ${values?.length ?? 'no'} numbers, expected ${size} as in the model`,
        );
      });
      const tensor = joinNumbers(bucket, arrays);
      average.assign(tensor);
      tensor.dispose();
    }
  }

  dispose(): void {
    tf.dispose(this.#averages.map(({ average }) => average));
  }
}

const joinedWeights = (bucket: Bucket): tf.Tensor => join(bucket.map(({ variable }) => variable));
