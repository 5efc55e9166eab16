import { readFileSync } from 'node:fs';

/** How a matrix lies in an array: element (i, p) at `i row + p column`. */
export interface Strides {
  readonly row: number;
  readonly column: number;
}

/** What kernels.wasm exports: see kernels.as.ts. Arrays are addresses. */
interface Exports {
  gemm(m: number, n: number, k: number, a: number, aRow: number, aColumn: number, b: number, c: number): void;
  scan(gates: number, c: number, width: number, rows: number): void;
  add(a: number, b: number, length: number): void;
  addProduct(a: number, b: number, c: number, length: number): void;
  addRelu(a: number, b: number, length: number): void;
  relu(a: number, length: number): void;
  largest(to: number, rows: number, count: number, width: number, least: number): void;
  dot(a: number, b: number, length: number): number;
}

const pageBytes = 65_536;
const floatBytes = 4;

/**
 * The parser's arithmetic in WebAssembly, on arrays of floats in its own memory. The memory's size is fixed; nothing is
 * given back. Widths of rows are multiples of 8, which leaves the vector instructions no rest.
 *
 * Offsets are in floats, from the start of an array: views would cost more than the arithmetic.
 */
export class Kernels {
  readonly #memory: WebAssembly.Memory;
  readonly #run: Exports;
  #used = 1024;

  constructor(bytes: number) {
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) + 1 });
    const instance = new WebAssembly.Instance(kernelModule(), { env: { memory: this.#memory } });
    this.#run = instance.exports as unknown as Exports;
  }

  /**
   * @returns zeros, aligned to 16 bytes
   * @throws RangeError where the memory is full
   */
  floats(length: number): Float32Array {
    const start = this.#used;
    this.#used += Math.ceil(length / 4) * 16;
    if (this.#used > this.#memory.buffer.byteLength) throw new RangeError('memory of the kernels is full');
    return new Float32Array(this.#memory.buffer, start, length);
  }

  /**
   * c += a · b
   * @param a `[m, k]`, as `strides` say
   * @param b `[k, n]` without gaps, n a multiple of 8
   * @param c `[m, n]` without gaps
   */
  multiply(
    m: number,
    n: number,
    k: number,
    a: Float32Array,
    { row, column }: Strides,
    b: Float32Array,
    c: Float32Array,
  ) {
    this.#run.gemm(m, n, k, a.byteOffset, row, column, b.byteOffset, c.byteOffset);
  }

  /**
   * y = b + x · w
   * @param x `[rows, inputs]`; w `[inputs, outputs]`; b `[outputs]` or none; y `[rows, outputs]`
   */
  linear(
    rows: number,
    x: Float32Array,
    inputs: number,
    w: Float32Array,
    b: Float32Array | null,
    y: Float32Array,
    outputs: number,
  ): void {
    if (b) for (let i = 0; i < rows; i++) y.set(b, i * outputs);
    else y.fill(0, 0, rows * outputs);
    this.#run.gemm(rows, outputs, inputs, x.byteOffset, inputs, 1, w.byteOffset, y.byteOffset);
  }

  /**
   * A gated sum along a caption in both directions: what a token is told of its context. A recurrence element by element,
   * as in the Simple Recurrent Unit, with the softsign in place of the exponential:
   *
   *     f = (1 + s(zf)) / 2     u = s(zu)     c(t) = c(t-1) + f (u - c(t-1))     s(z) = z / (1 + |z|)
   *
   * Source: Lei et al., "Simple Recurrent Units for Highly Parallelizable Recurrence", 2018.
   *
   * @param gates `[rows, 4 width]`: zf and zu forwards, then zf and zu backwards; f and u when it returns
   * @param c `[rows, 2 width]`: forwards, backwards; what is returned
   * @param start row of the caption's first token, in gates and c
   */
  scan(gates: Float32Array, c: Float32Array, width: number, start: number, length: number): void {
    const row = start * width * floatBytes;
    this.#run.scan(gates.byteOffset + 4 * row, c.byteOffset + 2 * row, width, length);
  }

  /** a += b, from an offset on. */
  add(a: Float32Array, aStart: number, b: Float32Array, bStart: number, length: number): void {
    this.#run.add(a.byteOffset + floatBytes * aStart, b.byteOffset + floatBytes * bStart, length);
  }

  /** a += b c, element by element, from an offset on. */
  addProduct(
    a: Float32Array,
    aStart: number,
    b: Float32Array,
    bStart: number,
    c: Float32Array,
    cStart: number,
    length: number,
  ): void {
    const at = (values: Float32Array, start: number) => values.byteOffset + floatBytes * start;
    this.#run.addProduct(at(a, aStart), at(b, bStart), at(c, cStart), length);
  }

  /** a = max(a + b, 0), from an offset on. */
  addRelu(a: Float32Array, aStart: number, b: Float32Array, bStart: number, length: number): void {
    this.#run.addRelu(a.byteOffset + floatBytes * aStart, b.byteOffset + floatBytes * bStart, length);
  }

  /** a = max(a, 0). */
  relu(a: Float32Array, length: number): void {
    this.#run.relu(a.byteOffset, length);
  }

  /** The largest of some rows, element by element, but at least `least`. @param toStart, rowsStart offsets */
  largest(
    to: Float32Array,
    toStart: number,
    rows: Float32Array,
    rowsStart: number,
    count: number,
    width: number,
    least: number,
  ): void {
    this.#run.largest(
      to.byteOffset + floatBytes * toStart,
      rows.byteOffset + floatBytes * rowsStart,
      count,
      width,
      least,
    );
  }

  /** Σ a b, from an offset on. */
  dot(a: Float32Array, aStart: number, b: Float32Array, bStart: number, length: number): number {
    return this.#run.dot(a.byteOffset + floatBytes * aStart, b.byteOffset + floatBytes * bStart, length);
  }
}

let compiled: WebAssembly.Module | undefined;
const kernelModule = () => {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('kernels.wasm', import.meta.url)));
  return compiled;
};
