import { readFileSync } from 'node:fs';
import type { ParserKernels } from '../../src/parser/neural/kernels/parser-kernels.js';
import type { TrainingKernelExports } from './training-kernel-exports.js';

const at = (values: Float32Array, start = 0) => values.byteOffset + 4 * start;

/** Arithmetic that only training needs, on arrays of the parser's kernels. Offsets and lengths are in floats, multiples of 4. */
export class TrainingKernels {
  readonly #exports: TrainingKernelExports;

  constructor({ memory }: ParserKernels) {
    this.#exports = new WebAssembly.Instance(trainingModule(), { env: { memory } })
      .exports as unknown as TrainingKernelExports;
  }

  /** GELU by its tanh. Source: Hendrycks & Gimpel, 2016. */
  gelu(x: Float32Array, y: Float32Array, length: number): void {
    this.#exports.gelu(at(x), at(y), length);
  }

  /** dx = dy times the slope of `gelu` at x; dx may be dy. */
  geluBackward(x: Float32Array, dy: Float32Array, dx: Float32Array, length: number): void {
    this.#exports.geluBackward(at(x), at(dy), at(dx), length);
  }

  /**
   * Layer normalisation. Source: Ba et al., 2016.
   * @param x, y, normal `[rows, width]`; normal is set to what is multiplied with the gain
   * @param inverse `[rows]`, set to 1 / deviation
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

  /** Of `normalize`: sets dx, which may be dy, and adds to dgain and dbias. */
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
   * Attention of a sequence to itself. Source: Vaswani et al., 2017.
   * @param qkv `[length, 3 heads width]`, y `[length, heads width]`, from row `start` on
   * @param beliefs `[heads, length, length]` from an offset on: set to the softmax
   */
  attend(
    start: number,
    length: number,
    heads: number,
    width: number,
    qkv: Float32Array,
    beliefs: Float32Array,
    beliefsStart: number,
    y: Float32Array,
  ): void {
    const row = heads * width;
    this.#exports.attend(length, heads, width, at(qkv, 3 * start * row), at(beliefs, beliefsStart), at(y, start * row));
  }

  /** Of `attend`: adds to dqkv. @param scratch `[length]` */
  attendBackward(
    start: number,
    length: number,
    heads: number,
    width: number,
    qkv: Float32Array,
    beliefs: Float32Array,
    beliefsStart: number,
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
      at(beliefs, beliefsStart),
      at(dy, start * row),
      at(dqkv, 3 * start * row),
      at(scratch),
    );
  }

  /** Σ x². */
  squares(x: Float32Array): number {
    return this.#exports.squares(at(x), x.length);
  }

  /** y += the sum of x's rows. */
  addRows(rows: number, width: number, x: Float32Array, y: Float32Array): void {
    this.#exports.addRows(rows, width, at(x), at(y));
  }

  /** y = x transposed. @param x `[rows, columns]` */
  transpose(rows: number, columns: number, x: Float32Array, y: Float32Array): void {
    this.#exports.transpose(rows, columns, at(x), at(y));
  }

  /** A step of Adam with decoupled weight decay; `unbias` is 1 / (1 - beta^steps). The gradients are zero when it returns. */
  adam(
    start: number,
    length: number,
    values: Float32Array,
    gradients: Float32Array,
    mean: Float32Array,
    square: Float32Array,
    o: {
      readonly scale: number;
      readonly beta1: number;
      readonly beta2: number;
      readonly unbias1: number;
      readonly unbias2: number;
      readonly epsilon: number;
      readonly rate: number;
      readonly weightDecay: number;
    },
  ): void {
    this.#exports.adam(
      length,
      at(values, start),
      at(gradients, start),
      at(mean, start),
      at(square, start),
      o.scale,
      o.beta1,
      o.beta2,
      o.unbias1,
      o.unbias2,
      o.epsilon,
      o.rate,
      o.weightDecay,
    );
  }
}

let compiled: WebAssembly.Module | undefined;
const trainingModule = () => {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('training-kernels.wasm', import.meta.url)));
  return compiled;
};
