import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { hasKernel, runKernel } from '../../model/ops/custom-kernel.js';
import type { Parameter } from '../../model/parameter-scope.js';

/**
 * The exponential mean of a model's trained weights, which is often better than the last ones.
 *
 *     a ← d·a + (1 − d)·w,   d = min(decay, (1 + t) / (10 + t)) behind step t
 *
 * Source: Polyak and Juditsky, 1992; the rising decay is that of TensorFlow's ExponentialMovingAverage.
 */
export class Ema {
  readonly #decay: number;
  readonly #means: ReadonlyMap<Parameter, tf.Variable>;

  /** @param decay in [0, 1) */
  constructor(parameters: Iterable<Parameter>, decay: number) {
    this.#decay = decay;
    const trained = [...parameters].filter((parameter) => parameter.trained);
    this.#means = new Map(trained.map((parameter) => [parameter, tf.variable(parameter.variable, false)]));
  }

  /** @param step that the weights were changed by, counted from 1 */
  follow(step: number): void {
    const decay = Math.min(this.#decay, (1 + step) / (10 + step));
    const follow = (mean: tf.Variable, x: tf.Variable) =>
      hasKernel('RelflowMovingAverage')
        ? runKernel('RelflowMovingAverage', { mean, x }, { decay })[0]!
        : tf.add(tf.mul(mean, decay), tf.mul(x, 1 - decay));
    for (const [{ variable }, mean] of this.#means) tf.tidy(() => mean.assign(follow(mean, variable)));
  }

  /** Puts the means into the model and the weights aside; a second call puts both back. */
  exchange(): void {
    for (const [{ variable }, mean] of this.#means) {
      const weights = tf.clone(variable);
      variable.assign(mean);
      mean.assign(weights);
      weights.dispose();
    }
  }

  /** By the parameter's name, in the layout of TensorFlow.js. */
  async state(): Promise<Map<string, Float32Array>> {
    const values = new Map<string, Float32Array>();
    for (const [{ name }, mean] of this.#means) values.set(name, (await mean.data()) as Float32Array);
    return values;
  }

  /** @throws RelflowError (`bad-checkpoint`) where the state is of another model */
  restore(state: ReadonlyMap<string, Float32Array>): void {
    for (const [{ name, size }, mean] of this.#means) {
      const values = state.get(name);
      if (values?.length !== size)
        throw new RelflowError('bad-checkpoint', `average: its state lacks ${name} as the model has it`);
      const tensor = tf.tensor(values, mean.shape, 'float32');
      mean.assign(tensor);
      tensor.dispose();
    }
  }

  dispose(): void {
    tf.dispose([...this.#means.values()]);
  }
}
