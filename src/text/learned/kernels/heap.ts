import { readFileSync } from 'node:fs';

type Gemm = (m: number, n: number, k: number, a: number, aRow: number, aColumn: number, b: number, c: number) => void;

/** How a matrix lies in an array: element (i, p) at `i row + p column`. */
export interface Strides {
  readonly row: number;
  readonly column: number;
}

const pageBytes = 65_536;

/** Arrays of floats where the WebAssembly kernels reach them. Its size is fixed; nothing is given back. */
export class Heap {
  readonly #memory: WebAssembly.Memory;
  readonly #gemm: Gemm;
  #used = 1024;

  constructor(bytes: number) {
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) + 1 });
    const { exports } = new WebAssembly.Instance(gemmModule(), { env: { memory: this.#memory } });
    this.#gemm = exports['gemm'] as Gemm;
  }

  /** @returns zeros, aligned to 16 bytes */
  floats(length: number): Float32Array {
    const start = this.#used;
    this.#used += Math.ceil(length / 4) * 16;
    if (this.#used > this.#memory.buffer.byteLength) throw new RangeError('heap of the kernels is full');
    return new Float32Array(this.#memory.buffer, start, length);
  }

  /**
   * c += a · b
   * @param a `[m, k]`, as `strides` say
   * @param b `[k, n]` without gaps, n a multiple of 8
   * @param c `[m, n]` without gaps
   */
  multiply(m: number, n: number, k: number, a: Float32Array, { row, column }: Strides, b: Float32Array, c: Float32Array) {
    this.#gemm(m, n, k, a.byteOffset, row, column, b.byteOffset, c.byteOffset);
  }
}

let compiled: WebAssembly.Module | undefined;
const gemmModule = () => {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('gemm.wasm', import.meta.url)));
  return compiled;
};
