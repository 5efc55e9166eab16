import { readFileSync } from 'node:fs';
import type { ParserKernels } from '../../src/parser/neural/kernels/parser-kernels.js';
import type { TrainingKernelExports } from './training-kernel-exports.js';

const at = (values: Float32Array, start = 0) => values.byteOffset + 4 * start;

/** The numbers of one step of AdamW. */
export interface AdamStep {
  /** Factor of the gradients. */
  readonly scale: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Learning rate / (1 − beta1^steps). */
  readonly rate: number;
  /** √(1 − beta2^steps) */
  readonly correction: number;
  readonly epsilon: number;
  /** 1 − learning rate · weight decay. */
  readonly keep: number;
}

/** The arithmetic that only training needs, on arrays of `ParserKernels`. Offsets and lengths are in floats, multiples of 4. */
export class TrainingKernels {
  readonly #exports: TrainingKernelExports;

  constructor({ memory }: ParserKernels) {
    this.#exports = new WebAssembly.Instance(trainingModule(), { env: { memory } })
      .exports as unknown as TrainingKernelExports;
  }

  /** GELU in its tanh approximation. Source: Hendrycks & Gimpel, 2016. */
  gelu(x: Float32Array, y: Float32Array, length: number): void {
    this.#exports.gelu(at(x), at(y), length);
  }

  /** dx = dy · the derivative of `gelu` at x; dx may be dy. */
  geluBackward(x: Float32Array, dy: Float32Array, dx: Float32Array, length: number): void {
    this.#exports.geluBackward(at(x), at(dy), at(dx), length);
  }

  /**
   * Layer normalization. Source: Ba et al., 2016.
   * @param x, y, normal `[rows, width]`; normal is set to the normalized values before the gain
   * @param inverse `[rows]`: set to 1 / standard deviation
   */
  normalize(
    rows: number,
    width: number,
    x: Float32Array,
    gain: Float32Array,
    bias: Float32Array,
    epsilon: number,
    y: Float32Array,
    normal: Float32Array,
    inverse: Float32Array,
  ): void {
    this.#exports.normalize(rows, width, at(x), at(gain), at(bias), epsilon, at(y), at(normal), at(inverse));
  }

  /** The backward pass of `normalize`: sets dx, which may be dy, and adds to dgain and dbias. */
  normalizeBackward(
    rows: number,
    width: number,
    normal: Float32Array,
    inverse: Float32Array,
    gain: Float32Array,
    dy: Float32Array,
    dx: Float32Array,
    dgain: Float32Array,
    dbias: Float32Array,
  ): void {
    this.#exports.normalizeBackward(
      rows,
      width,
      at(normal),
      at(inverse),
      at(gain),
      at(dy),
      at(dx),
      at(dgain),
      at(dbias),
    );
  }

  /**
   * Multi-head self-attention of one sequence. Source: Vaswani et al., 2017.
   * @param qkv `[length, 3 heads width]`, y `[length, heads width]`, both from row `start` on
   * @param weights `[heads, length, length]` from an offset on: set to the attention weights
   */
  attend(
    start: number,
    length: number,
    heads: number,
    width: number,
    qkv: Float32Array,
    weights: Float32Array,
    weightsStart: number,
    y: Float32Array,
  ): void {
    const row = heads * width;
    this.#exports.attend(length, heads, width, at(qkv, 3 * start * row), at(weights, weightsStart), at(y, start * row));
  }

  /** The backward pass of `attend`: adds to dqkv. @param scratch `[length]` */
  attendBackward(
    start: number,
    length: number,
    heads: number,
    width: number,
    qkv: Float32Array,
    weights: Float32Array,
    weightsStart: number,
    dy: Float32Array,
    dqkv: Float32Array,
    scratch: Float32Array,
  ): void {
    const row = heads * width;
    this.#exports.attendBackward(
      length,
      heads,
      width,
      at(qkv, 3 * start * row),
      at(weights, weightsStart),
      at(dy, start * row),
      at(dqkv, 3 * start * row),
      at(scratch),
    );
  }

  /** Returns Σ x². */
  squares(x: Float32Array): number {
    return this.#exports.squares(at(x), x.length);
  }

  /** Adds the sum of x's rows to y. */
  addRows(rows: number, width: number, x: Float32Array, y: Float32Array): void {
    this.#exports.addRows(rows, width, at(x), at(y));
  }

  /** Sets y to x transposed. @param x `[rows, columns]` */
  transpose(rows: number, columns: number, x: Float32Array, y: Float32Array): void {
    this.#exports.transpose(rows, columns, at(x), at(y));
  }

  /**
   * Makes one step of AdamW in place, and sets the gradients to zero.
   * @param start of all four arrays
   * @param step the numbers of the step
   */
  adamStep(
    start: number,
    length: number,
    values: Float32Array,
    gradients: Float32Array,
    mean: Float32Array,
    square: Float32Array,
    { scale, beta1, beta2, rate, correction, epsilon, keep }: AdamStep,
  ): void {
    this.#exports.adamStep(
      length,
      ...([at(values, start), at(gradients, start), at(mean, start), at(square, start)] as const),
      ...([scale, beta1, beta2, rate, correction, epsilon, keep] as const),
    );
  }
}

let compiled: WebAssembly.Module | undefined;
const trainingModule = () => {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('training-kernels.wasm', import.meta.url)));
  return compiled;
};
