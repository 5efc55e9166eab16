import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { hasKernel, runKernel } from '../../model/ops/custom-kernel.js';
import type { Parameter } from '../../model/parameter-scope.js';

/**
 * The exponential moving average of a model's trained weights, which often generalizes better than the last weights.
 *
 *     a ← d·a + (1 − d)·w,   d = min(decay, (1 + t) / (10 + t)) after step t
 *
 * Source: Polyak and Juditsky, 1992; the rising decay is that of TensorFlow's ExponentialMovingAverage.
 */
export class Ema {
  readonly #decay: number;
  readonly #averages: ReadonlyMap<Parameter, tf.Variable>;

  /** @param decay in [0, 1) */
  constructor(parameters: Iterable<Parameter>, decay: number) {
    this.#decay = decay;
    const trained = [...parameters].filter((parameter) => parameter.trained);
    this.#averages = new Map(trained.map((parameter) => [parameter, tf.variable(parameter.variable, false)]));
  }

  /**
   * Updates the average with the weights after a step.
   * @param step counted from 1
   */
  update(step: number): void {
    const decay = Math.min(this.#decay, (1 + step) / (10 + step));
    const updated = (mean: tf.Variable, x: tf.Variable) =>
      hasKernel('RelflowMovingAverage')
        ? runKernel('RelflowMovingAverage', { mean, x }, { decay })[0]!
        : tf.add(tf.mul(mean, decay), tf.mul(x, 1 - decay));
    for (const [{ variable }, average] of this.#averages) tf.tidy(() => average.assign(updated(average, variable)));
  }

  /** Exchanges the model's weights with the average; a second call restores both. */
  exchange(): void {
    for (const [{ variable }, average] of this.#averages) {
      const weights = tf.clone(variable);
      variable.assign(average);
      average.assign(weights);
      weights.dispose();
    }
  }

  /** Reads the average, by the parameter's name and in TensorFlow.js's layout. */
  async state(): Promise<Map<string, Float32Array>> {
    const values = new Map<string, Float32Array>();
    for (const [{ name }, average] of this.#averages) values.set(name, (await average.data()) as Float32Array);
    return values;
  }

  /** @throws RelflowError (`bad-checkpoint`) when the state belongs to another model */
  restore(state: ReadonlyMap<string, Float32Array>): void {
    for (const [{ name, size }, average] of this.#averages) {
      const values = state.get(name);
      if (values?.length !== size)
        throw new RelflowError(
          'bad-checkpoint',
          `average: ${name} has ${values?.length ?? 'no'} numbers, expected ${size} as in the model`,
        );
      const tensor = tf.tensor(values, average.shape, 'float32');
      average.assign(tensor);
      tensor.dispose();
    }
  }

  dispose(): void {
    tf.dispose([...this.#averages.values()]);
  }
}
