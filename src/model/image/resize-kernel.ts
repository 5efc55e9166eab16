import { readFileSync } from 'node:fs';
import { type ResizeWindows, resizeWindows } from './resize-windows.js';

/** Exports of resize.wasm, see resize.as.ts. */
interface Kernel {
  alongRows(from: number, to: number, windows: number, taps: number, rows: number, width: number, cells: number): void;
  alongColumns(
    from: number,
    to: number,
    windows: number,
    taps: number,
    stride: number,
    cells: number,
    offset: number,
  ): void;
}

const PAGE = 65536;
/** Maximum bytes of input and output in the kernel's memory at a time, unless one row needs more. */
const BAND = 1 << 20;
/** WebAssembly memory cannot shrink: a kernel whose memory has grown beyond this size is not reused. */
const MAX_CACHED_BYTES = 64 << 20;
/** Bytes reserved after input and output, because the kernel reads and writes beyond their ends. */
const SLACK = 16;

/** Instance of the kernel with its own memory, which holds one band of an image at a time. */
class ResizeKernel {
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #kernel: Kernel;

  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.#kernel = exports as unknown as Kernel;
  }

  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /**
   * Resizes all rows.
   * @param data pixels, `[height, width, 3]`
   * @param to new width
   * @returns `[height, to, 3]`
   */
  alongRows(data: Uint8Array, height: number, width: number, to: number): Uint8Array {
    const result = new Uint8Array(3 * height * to);
    const windows = resizeWindows(width, to);
    const maxRows = Math.max(1, Math.floor(BAND / (3 * (width + to))));
    const [from, out] = this.#reserve(
      windows,
      3 * width * Math.min(maxRows, height),
      3 * to * Math.min(maxRows, height),
    );
    const bytes = new Uint8Array(this.#memory.buffer);
    for (let row = 0; row < height; row += maxRows) {
      const rows = Math.min(maxRows, height - row);
      bytes.set(data.subarray(3 * width * row, 3 * width * (row + rows)), from);
      this.#kernel.alongRows(from, out, 0, windows.taps, rows, width, to);
      result.set(bytes.subarray(out, out + 3 * to * rows), 3 * to * row);
    }
    return result;
  }

  /**
   * Resizes all columns.
   * @param data pixels, `[height, width, 3]`
   * @param to new height
   * @returns `[to, width, 3]`
   */
  alongColumns(data: Uint8Array, height: number, width: number, to: number): Uint8Array {
    const stride = 3 * width;
    const result = new Uint8Array(stride * to);
    const windows = resizeWindows(height, to);
    const maxRows = Math.max(1, Math.floor(BAND / (stride * (1 + Math.ceil(height / to)))));
    const cells = Math.min(maxRows, to);
    // Upper bound of the input rows: the windows of `cells` rows start at most this far apart, and each has at most `taps` rows.
    const inputs = Math.min(height, Math.ceil((cells * height) / to) + windows.taps);
    const [from, out] = this.#reserve(windows, stride * inputs, stride * cells);
    const bytes = new Uint8Array(this.#memory.buffer);
    for (let cell = 0; cell < to; cell += maxRows) {
      const end = Math.min(to, cell + maxRows);
      const first = windows.first(cell);
      bytes.set(data.subarray(stride * first, stride * windows.end(end - 1)), from);
      this.#kernel.alongColumns(from, out, windows.bytesBefore(cell), windows.taps, stride, end - cell, first);
      result.set(bytes.subarray(out, out + stride * (end - cell)), stride * cell);
    }
    return result;
  }

  /** Grows the memory as needed and copies the windows to its start. @returns addresses of input and output */
  #reserve({ table }: ResizeWindows, input: number, output: number): [from: number, out: number] {
    const from = table.byteLength;
    const out = from + input + SLACK;
    const missing = out + output + SLACK - this.bytes;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    new Int32Array(this.#memory.buffer, 0, table.length).set(table);
    return [from, out];
  }
}

let module: WebAssembly.Module | undefined;
let cached: ResizeKernel | undefined;

/** Calls `work` with this thread's kernel, and returns its result. */
export function withResizeKernel<T>(work: (kernel: ResizeKernel) => T): T {
  module ??= new WebAssembly.Module(readFileSync(new URL('./resize.wasm', import.meta.url)));
  const kernel = cached ?? new ResizeKernel(module);
  cached = undefined;
  const result = work(kernel);
  if (kernel.bytes <= MAX_CACHED_BYTES) cached = kernel;
  return result;
}
