import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { hasKernel, runKernel } from '../../model/ops/custom-kernel.js';
import type { Parameter } from '../../model/parameter-scope.js';
import { groupOf } from './parameter-group.js';

/** Learning rates by part of the model, and the constants of AdamW. */
export interface AdamWOptions {
  /** Of all parameters outside of backbone and text encoder. A learning rate of 0 freezes its parameters. */
  readonly learningRate: number;
  readonly backboneLearningRate: number;
  readonly textLearningRate: number;
  /** Decoupled weight decay: of all parameters, biases and norms too. */
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Upper bound of the L2 norm of all gradients, see `clipFactor`; 0 disables clipping. */
  readonly maxGradientNorm: number;
}

/**
 * The official options. Source: RLIPv2, main.py and scripts/verb_tagger/train_vg_RLIP_ParSeD_v2_tagger_resnet.sh; 64
 * images a step.
 */
export const officialAdamW: AdamWOptions = {
  learningRate: 1.41e-4,
  backboneLearningRate: 1.41e-5,
  textLearningRate: 1.41e-5,
  weightDecay: 1e-4,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  maxGradientNorm: 0.1,
};

interface Moments {
  readonly first: tf.Variable;
  readonly second: tf.Variable;
}

/** The moments of one parameter in a checkpoint, in TensorFlow.js's layout. */
export interface MomentValues {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/**
 * Adam with decoupled weight decay and bias correction, over a model's trained parameters. Parameters with a learning
 * rate of 0 have neither gradients nor moments.
 *
 *     p ← p − r·d·p     m ← β₁m + (1 − β₁)g     v ← β₂v + (1 − β₂)g²
 *     p ← p − r · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
 *
 * Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2, as PyTorch has it.
 */
export class AdamW {
  readonly options: AdamWOptions;
  readonly #parameters: readonly Parameter[];
  readonly #moments = new Map<string, Moments>();
  #steps = 0;

  constructor(parameters: Iterable<Parameter>, options: AdamWOptions) {
    this.options = options;
    this.#parameters = [...parameters].filter((parameter) => parameter.trained && this.#learningRateOf(parameter) > 0);
  }

  /** The number of steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** The variables that need gradients. */
  get variables(): tf.Variable[] {
    return this.#parameters.map(({ variable }) => variable);
  }

  /**
   * Makes one step. A parameter without a gradient is not changed, nor decayed.
   * @param gradients by the variable's name; the caller disposes of them
   * @param scheduleFactor multiplies all learning rates, see `scheduleFactor`
   * @param gradientFactor multiplies all gradients, see `clipFactor`
   */
  apply(gradients: Readonly<Record<string, tf.Tensor>>, scheduleFactor: number, gradientFactor: number): void {
    const { weightDecay, beta1, beta2, epsilon } = this.options;
    this.#steps++;
    const correction1 = 1 - beta1 ** this.#steps;
    const correction2 = Math.sqrt(1 - beta2 ** this.#steps);
    for (const parameter of this.#parameters) {
      const { variable } = parameter;
      const gradient = gradients[variable.name];
      if (!gradient) continue;
      const learningRate = this.#learningRateOf(parameter) * scheduleFactor;
      const { first, second } = this.#momentsOf(parameter);
      if (hasKernel('RelflowAdamW')) {
        const updated = runKernel(
          'RelflowAdamW',
          { weight: variable, gradient, first, second },
          {
            ...{ scale: gradientFactor, beta1, beta2, epsilon, rate: learningRate / correction1 },
            ...{ correction: correction2, keep: 1 - learningRate * weightDecay },
          },
        );
        for (const [k, target] of [variable, first, second].entries()) target.assign(updated[k]!);
        tf.dispose(updated);
        continue;
      }
      tf.tidy(() => {
        const g = gradientFactor === 1 ? gradient : tf.mul(gradient, gradientFactor);
        first.assign(tf.add(tf.mul(first, beta1), tf.mul(g, 1 - beta1)));
        second.assign(tf.add(tf.mul(second, beta2), tf.mul(tf.square(g), 1 - beta2)));
        const denominator = tf.add(tf.div(tf.sqrt(second), correction2), epsilon);
        const change = tf.mul(tf.div(first, denominator), learningRate / correction1);
        variable.assign(tf.sub(tf.mul(variable, 1 - learningRate * weightDecay), change));
      });
    }
  }

  /** Reads both moments of every parameter that has had a gradient, by the parameter's name. */
  async state(): Promise<Map<string, MomentValues>> {
    const values = new Map<string, MomentValues>();
    for (const [name, { first, second }] of this.#moments)
      values.set(name, {
        first: (await first.data()) as Float32Array,
        second: (await second.data()) as Float32Array,
      });
    return values;
  }

  /**
   * @param steps the number of steps so far
   * @throws RelflowError (`bad-checkpoint`) when the state belongs to another model
   */
  restore(steps: number, state: ReadonlyMap<string, MomentValues>): void {
    const byName = new Map(this.#parameters.map((parameter) => [parameter.name, parameter]));
    for (const [name, values] of state) {
      const parameter = byName.get(name);
      const sizes = [values.first.length, values.second.length];
      if (!parameter || sizes.some((size) => size !== parameter.size))
        throw new RelflowError(
          'bad-checkpoint',
          `optimizer: ${name} has moments of ${sizes.join(' and ')} numbers, expected ${parameter?.size ?? 'none'} as in the model`,
        );
      const { first, second } = this.#momentsOf(parameter);
      for (const [variable, numbers] of [
        [first, values.first],
        [second, values.second],
      ] as const) {
        const tensor = tf.tensor(numbers, variable.shape, 'float32');
        variable.assign(tensor);
        tensor.dispose();
      }
    }
    this.#steps = steps;
  }

  dispose(): void {
    for (const { first, second } of this.#moments.values()) tf.dispose([first, second]);
    this.#moments.clear();
  }

  #learningRateOf({ name }: Parameter): number {
    const { learningRate, backboneLearningRate, textLearningRate } = this.options;
    const group = groupOf(name);
    return group === 'backbone' ? backboneLearningRate : group === 'text' ? textLearningRate : learningRate;
  }

  #momentsOf({ name, variable }: Parameter): Moments {
    const known = this.#moments.get(name);
    if (known) return known;
    const zeros = () => {
      const values = tf.zeros(variable.shape);
      const moment = tf.variable(values, false);
      values.dispose();
      return moment;
    };
    const moments = { first: zeros(), second: zeros() };
    this.#moments.set(name, moments);
    return moments;
  }
}
