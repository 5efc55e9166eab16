import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { hasKernel, runKernel } from '../../model/ops/custom-kernel.js';
import type { Parameter } from '../../model/parameter-scope.js';
import { type Bucket, bucketsOf, join, joinNumbers, readNumbers, split, takeVariable } from './parameter-buckets.js';
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

/** The moments of a bucket's parameters, joined. */
export interface Moments {
  readonly bucket: Bucket;
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
 * rate of 0 have neither gradients nor moments. On a backend without a kernel for a whole update, parameters are updated many
 * at a time, since small operations cost more than their arithmetic.
 *
 *     p ← p − r·d·p     m ← β₁m + (1 − β₁)g     v ← β₂v + (1 − β₂)g²
 *     p ← p − r · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
 *
 * Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2, as PyTorch has it.
 */
export class AdamW {
  readonly options: AdamWOptions;
  readonly #parameters: readonly Parameter[];
  /** In no bucket before the first gradient. */
  #moments: Moments[] = [];
  #steps = 0;

  constructor(parameters: Iterable<Parameter>, options: AdamWOptions) {
    this.options = options;
    this.#parameters = [...parameters].filter((parameter) => parameter.trained && this.#learningRateOf(parameter) > 0);
  }

  /** The number of steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** The parameters that steps change. */
  get parameters(): readonly Parameter[] {
    return this.#parameters;
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
    const hasGradient = ({ variable }: Parameter) => gradients[variable.name] !== undefined;
    for (const { bucket, first, second } of this.#momentsWith(hasGradient)) {
      const learningRate = this.#learningRateOf(bucket[0]!) * scheduleFactor;
      const numbers = {
        ...{ scale: gradientFactor, beta1, beta2, epsilon, rate: learningRate / correction1 },
        ...{ correction: correction2, keep: 1 - learningRate * weightDecay },
      };
      tf.tidy(() => {
        const weight = join(bucket.map(({ variable }) => variable));
        const gradient = join(bucket.map(({ variable }) => gradients[variable.name]!));
        const inputs = { weight, gradient, first, second };
        const [updated, ...moments] = hasKernel('RelflowAdamW')
          ? runKernel('RelflowAdamW', inputs, numbers)
          : referenceAdamW(inputs, numbers);
        for (const [k, target] of [first, second].entries()) target.assign(moments[k]!);
        for (const [k, part] of split(bucket, updated!).entries()) bucket[k]!.variable.assign(part);
      });
    }
  }

  /**
   * Returns the moments of the parameters that have a gradient, for a step that is made elsewhere and changes them in place.
   * On a backend that updates each parameter by itself, a bucket is one parameter.
   */
  momentsOf(hasGradient: (parameter: Parameter) => boolean): readonly Moments[] {
    return this.#momentsWith(hasGradient);
  }

  /** Counts a step that was made elsewhere, see `momentsOf`. */
  countStep(): void {
    this.#steps++;
  }

  /** Reads both moments of every parameter that has had a gradient, by the parameter's name. */
  async state(): Promise<Map<string, MomentValues>> {
    const found = new Map<string, MomentValues>();
    for (const { bucket, first, second } of this.#moments) {
      const [firsts, seconds] = [await readNumbers(bucket, first), await readNumbers(bucket, second)];
      for (const [k, { name }] of bucket.entries()) found.set(name, { first: firsts[k]!, second: seconds[k]! });
    }
    // In the order of the model, whatever the buckets are.
    return new Map(this.#parameters.flatMap(({ name }) => (found.has(name) ? [[name, found.get(name)!]] : [])));
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
    }
    this.dispose();
    const restored = this.#parameters.filter(({ name }) => state.has(name));
    this.#moments = this.#bucketsOf(restored).map((bucket) => {
      const variable = (of: keyof MomentValues) =>
        takeVariable(
          joinNumbers(
            bucket,
            bucket.map(({ name }) => state.get(name)![of]),
          ),
        );
      return { bucket, first: variable('first'), second: variable('second') };
    });
    this.#steps = steps;
  }

  dispose(): void {
    for (const { first, second } of this.#moments) tf.dispose([first, second]);
    this.#moments = [];
  }

  #learningRateOf({ name }: Parameter): number {
    const { learningRate, backboneLearningRate, textLearningRate } = this.options;
    const group = groupOf(name);
    return group === 'backbone' ? backboneLearningRate : group === 'text' ? textLearningRate : learningRate;
  }

  #bucketsOf(parameters: readonly Parameter[]): Bucket[] {
    return bucketsOf(parameters, (parameter) => this.#learningRateOf(parameter));
  }

  /** Returns the moments of the parameters that have gradients, in buckets of them alone. */
  #momentsWith(hasGradient: (parameter: Parameter) => boolean): Moments[] {
    this.#moments = this.#moments.flatMap((moments) => divide(moments, hasGradient));
    const known = new Set(this.#moments.flatMap(({ bucket }) => bucket));
    const added = this.#parameters.filter((parameter) => hasGradient(parameter) && !known.has(parameter));
    for (const bucket of this.#bucketsOf(added)) {
      const size = bucket.reduce((sum, parameter) => sum + parameter.size, 0);
      // Filled on the device.
      const zeros = () => takeVariable(tf.fill(bucket.length === 1 ? bucket[0]!.variable.shape : [size], 0));
      this.#moments.push({ bucket, first: zeros(), second: zeros() });
    }
    return this.#moments.filter(({ bucket }) => hasGradient(bucket[0]!));
  }
}

/** Divides moments into those of parameters for which a condition holds, and the others. */
function divide({ bucket, first, second }: Moments, holds: (parameter: Parameter) => boolean): Moments[] {
  if (bucket.every((parameter) => holds(parameter) === holds(bucket[0]!))) return [{ bucket, first, second }];
  const parts = [first, second].map((joined) => tf.tidy(() => split(bucket, joined)));
  const divided = [true, false].map((wanted): Moments => {
    const indices = [...bucket.keys()].filter((k) => holds(bucket[k]!) === wanted);
    const [newFirst, newSecond] = parts.map((all) =>
      takeVariable(tf.tidy(() => tf.clone(join(indices.map((k) => all[k]!))))),
    );
    return { bucket: indices.map((k) => bucket[k]!), first: newFirst!, second: newSecond! };
  });
  tf.dispose([first, second, ...parts.flat()]);
  return divided;
}

/** Computes the step of AdamW with TensorFlow.js kernels alone; see the kernel `RelflowAdamW`. */
function referenceAdamW(
  { weight, gradient, first, second }: Readonly<Record<'weight' | 'gradient' | 'first' | 'second', tf.Tensor>>,
  numbers: Readonly<Record<'scale' | 'beta1' | 'beta2' | 'epsilon' | 'rate' | 'correction' | 'keep', number>>,
): tf.Tensor[] {
  const { scale, beta1, beta2, epsilon, rate, correction, keep } = numbers;
  // Each scope frees its intermediate arrays, which are as large as the weights.
  const newFirst = tf.tidy(() => tf.add(tf.mul(first, beta1), tf.mul(gradient, scale * (1 - beta1))));
  const newSecond = tf.tidy(() =>
    tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), scale * scale * (1 - beta2))),
  );
  const change = tf.tidy(() => {
    const denominator = tf.tidy(() => tf.add(tf.div(tf.sqrt(newSecond), correction), epsilon));
    return tf.mul(tf.div(newFirst, denominator), rate);
  });
  return [tf.sub(tf.mul(weight, keep), change), newFirst, newSecond];
}
