import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { hasKernel, runKernel } from '../../model/ops/custom-kernel.js';
import type { Parameter } from '../../model/parameter-scope.js';

/** Learning rates by part of the model, and what else the optimiser is told. */
export interface AdamWOptions {
  /** Of everything that no other rate is for. */
  readonly learningRate: number;
  readonly backboneLearningRate: number;
  readonly textLearningRate: number;
  /** Share of a weight that goes at each step, times the rate: of all of them, biases and norms too. */
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** The longest that all gradients together, as one vector, may be; longer ones are scaled down. 0 for no bound. */
  readonly maxGradientNorm: number;
}

/** Source: RLIPv2, main.py and scripts/verb_tagger/train_vg_RLIP_ParSeD_v2_tagger_resnet.sh; 64 images a step. */
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

export type ParameterGroup = 'backbone' | 'text' | 'rest';

/**
 * Which learning rate a parameter has, by its name in the state dict. The fusions' language layers belong to the rest.
 * Source: RLIPv2, main.py, `param_dicts`.
 */
export function groupOf(name: string): ParameterGroup {
  if (name.includes('backbone')) return 'backbone';
  return name.includes('text_encoder') ? 'text' : 'rest';
}

interface Moments {
  readonly first: tf.Variable;
  readonly second: tf.Variable;
}

/** What a checkpoint keeps of one parameter, in the layout of TensorFlow.js. */
export interface MomentValues {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/**
 * Adam with decoupled weight decay, bias-corrected, over a model's trained parameters. Those whose rate is 0 are left alone: they need
 * neither gradients nor moments.
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
    this.#parameters = [...parameters].filter((parameter) => parameter.trained && this.#rateOf(parameter) > 0);
  }

  /** Steps made so far. */
  get steps(): number {
    return this.#steps;
  }

  /** What gradients are asked for. */
  get variables(): tf.Variable[] {
    return this.#parameters.map(({ variable }) => variable);
  }

  /**
   * One step. A parameter without a gradient stays as it is, not decayed either.
   * @param gradients by the variable's name; not disposed of
   * @param factor that all rates are multiplied by
   * @param length of all gradients as one vector, see `gradientLength`
   */
  apply(gradients: Readonly<Record<string, tf.Tensor>>, factor: number, length: number): void {
    const { weightDecay, beta1, beta2, epsilon, maxGradientNorm: clip } = this.options;
    this.#steps++;
    const scale = clip > 0 ? Math.min(1, clip / (length + 1e-6)) : 1;
    const correction1 = 1 - beta1 ** this.#steps;
    const correction2 = Math.sqrt(1 - beta2 ** this.#steps);
    for (const parameter of this.#parameters) {
      const { variable } = parameter;
      const gradient = gradients[variable.name];
      if (!gradient) continue;
      const rate = this.#rateOf(parameter) * factor;
      const { first, second } = this.#momentsOf(parameter);
      if (hasKernel('RelflowAdamW')) {
        const made = runKernel(
          'RelflowAdamW',
          { weight: variable, gradient, first, second },
          {
            ...{ scale, beta1, beta2, epsilon, rate: rate / correction1, correction: correction2 },
            keep: 1 - rate * weightDecay,
          },
        );
        for (const [k, target] of [variable, first, second].entries()) target.assign(made[k]!);
        tf.dispose(made);
        continue;
      }
      tf.tidy(() => {
        const g = scale === 1 ? gradient : tf.mul(gradient, scale);
        first.assign(tf.add(tf.mul(first, beta1), tf.mul(g, 1 - beta1)));
        second.assign(tf.add(tf.mul(second, beta2), tf.mul(tf.square(g), 1 - beta2)));
        const spread = tf.add(tf.div(tf.sqrt(second), correction2), epsilon);
        const change = tf.mul(tf.div(first, spread), rate / correction1);
        variable.assign(tf.sub(tf.mul(variable, 1 - rate * weightDecay), change));
      });
    }
  }

  /** Both moments of every parameter that had a gradient, by the parameter's name. */
  async state(): Promise<Map<string, MomentValues>> {
    const values = new Map<string, MomentValues>();
    for (const [name, { first, second }] of this.#moments)
      values.set(name, {
        first: (await first.data()) as Float32Array,
        second: (await second.data()) as Float32Array,
      });
    return values;
  }

  /** @throws RelflowError (`bad-checkpoint`) where the state is of another model */
  restore(steps: number, state: ReadonlyMap<string, MomentValues>): void {
    const byName = new Map(this.#parameters.map((parameter) => [parameter.name, parameter]));
    for (const [name, values] of state) {
      const parameter = byName.get(name);
      if (!parameter || values.first.length !== parameter.size || values.second.length !== parameter.size)
        throw new RelflowError('bad-checkpoint', `optimiser: its state has ${name}, which is not as the model has it`);
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

  #rateOf({ name }: Parameter): number {
    const { learningRate: rate, backboneLearningRate: backboneRate, textLearningRate: textRate } = this.options;
    const group = groupOf(name);
    return group === 'backbone' ? backboneRate : group === 'text' ? textRate : rate;
  }

  #momentsOf({ name, variable }: Parameter): Moments {
    const known = this.#moments.get(name);
    if (known) return known;
    const zero = () => {
      const values = tf.zeros(variable.shape);
      const made = tf.variable(values, false);
      values.dispose();
      return made;
    };
    const moments = { first: zero(), second: zero() };
    this.#moments.set(name, moments);
    return moments;
  }
}

/** The length of all gradients as one vector; not a number where one of theirs is none. */
export async function gradientNorm(gradients: Readonly<Record<string, tf.Tensor>>): Promise<number> {
  if (hasKernel('RelflowGlobalNorm') && Object.keys(gradients).length > 0) {
    const length = runKernel('RelflowGlobalNorm', gradients)[0]!;
    const [value] = (await length.data()) as Float32Array;
    length.dispose();
    return value!;
  }
  const squares = tf.tidy(() => {
    const sums = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
    return sums.length > 0 ? tf.stack(sums) : tf.zeros([1]);
  });
  const values = (await squares.data()) as Float32Array;
  squares.dispose();
  return Math.sqrt(values.reduce((sum, value) => sum + value, 0));
}
