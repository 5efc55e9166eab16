import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import type { TrainingKernels } from './kernels/training-kernels.js';

/** Settings of the optimizer. Source: Kingma & Ba, 2015; Loshchilov & Hutter, 2019 (decoupled weight decay). */
export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

const defaultAdamOptions: AdamOptions = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 1e-3 };

/** The state of an optimizer between two steps. */
export interface AdamState {
  readonly values: Float32Array;
  readonly mean: Float32Array;
  readonly square: Float32Array;
  readonly steps: number;
}

/**
 * AdamW for one array of parameters, or for a table of which a batch updates few rows.
 *
 * Its kernel is the one of the model's optimizer (src/model/backends/kernels/adam-w.as.ts). This class and
 * src/training/optimizer/adam-w.ts are two because parameters here are arrays, updated in place, some row by row, and there
 * TensorFlow.js variables.
 */
export class Adam {
  readonly #training: TrainingKernels;
  readonly #values: Float32Array;
  readonly #gradients: Float32Array;
  readonly #options: AdamOptions;
  readonly #mean: Float32Array;
  readonly #square: Float32Array;
  #steps = 0;

  /** @param values, gradients arrays in the kernels' memory; their length is a multiple of 4 */
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

  /** The optimizer's own arrays, which the next step changes. */
  get state(): AdamState {
    return { values: this.#values, mean: this.#mean, square: this.#square, steps: this.#steps };
  }

  /** Copies a saved state. @throws RangeError if its arrays have another length */
  restore({ values, mean, square, steps }: AdamState): void {
    for (const [own, saved] of [
      [this.#values, values],
      [this.#mean, mean],
      [this.#square, square],
    ] as const) {
      if (saved.length !== own.length)
        throw new RangeError(`checkpoint: an array of ${saved.length} parameters, expected ${own.length}`);
      own.set(saved);
    }
    this.#steps = steps;
  }

  /** Updates every value and sets the gradients to zero. @param scale factor of the gradients */
  step(learningRate: number, scale: number): void {
    this.#steps++;
    this.#update(0, this.#values.length, learningRate, scale);
  }

  /** Updates some rows and sets their gradients to zero; the moments of the other rows do not change. */
  stepRows(rows: Iterable<number>, width: number, learningRate: number, scale: number): void {
    this.#steps++;
    for (const row of rows) this.#update(row * width, width, learningRate, scale);
  }

  #update(start: number, length: number, learningRate: number, scale: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    this.#training.adamStep(start, length, this.#values, this.#gradients, this.#mean, this.#square, {
      scale,
      beta1,
      beta2,
      rate: learningRate / (1 - beta1 ** this.#steps),
      correction: Math.sqrt(1 - beta2 ** this.#steps),
      epsilon,
      keep: 1 - learningRate * weightDecay,
    });
  }
}
