import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import type { TrainingKernels } from './kernels/training-kernels.js';

/** Settings of the optimiser. Source: Kingma & Ba, 2015; Loshchilov & Hutter, 2019 (decoupled weight decay). */
export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

export const defaultAdamOptions: AdamOptions = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 1e-3 };

/** What an optimiser's next step depends on beside the gradients. */
export interface AdamState {
  readonly values: Float32Array;
  readonly mean: Float32Array;
  readonly square: Float32Array;
  readonly steps: number;
}

/** One array of parameters, or a table of which a batch touches few rows. */
export class Adam {
  readonly #training: TrainingKernels;
  readonly #values: Float32Array;
  readonly #gradients: Float32Array;
  readonly #options: AdamOptions;
  readonly #mean: Float32Array;
  readonly #square: Float32Array;
  #steps = 0;

  /** @param values, gradients in the kernels' memory, of a length that is a multiple of 4 */
  constructor(
    kernels: ParserKernels,
    training: TrainingKernels,
    values: Float32Array,
    gradients: Float32Array,
    options: AdamOptions = defaultAdamOptions,
  ) {
    this.#training = training;
    this.#values = values;
    this.#gradients = gradients;
    this.#options = options;
    this.#mean = kernels.floats(values.length);
    this.#square = kernels.floats(values.length);
  }

  /** Its own arrays: they change with the next step. */
  get state(): AdamState {
    return { values: this.#values, mean: this.#mean, square: this.#square, steps: this.#steps };
  }

  /** @throws RangeError where the arrays are not of its length */
  restore({ values, mean, square, steps }: AdamState): void {
    for (const [own, kept] of [
      [this.#values, values],
      [this.#mean, mean],
      [this.#square, square],
    ] as const) {
      if (kept.length !== own.length) throw new RangeError(`${kept.length} parameters, expected ${own.length}`);
      own.set(kept);
    }
    this.#steps = steps;
  }

  /** Updates every value and sets the gradients to zero. @param scale of the gradients */
  step(rate: number, scale: number): void {
    this.#steps++;
    this.#update(0, this.#values.length, rate, scale);
  }

  /** Updates some rows and sets their gradients to zero; the moments of the others stand still. */
  stepRows(rows: Iterable<number>, width: number, rate: number, scale: number): void {
    this.#steps++;
    for (const row of rows) this.#update(row * width, width, rate, scale);
  }

  #update(start: number, length: number, rate: number, scale: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    this.#training.adam(start, length, this.#values, this.#gradients, this.#mean, this.#square, {
      scale,
      beta1,
      beta2,
      unbias1: 1 / (1 - beta1 ** this.#steps),
      unbias2: 1 / (1 - beta2 ** this.#steps),
      epsilon,
      rate,
      weightDecay,
    });
  }
}
