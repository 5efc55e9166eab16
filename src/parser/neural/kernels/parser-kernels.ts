import { readFileSync } from 'node:fs';
import { tagStride } from '../network-parameters.js';
import type { CrfScores } from '../tag-sequence.js';
import type { PackedMatrix } from './packed-matrix.js';
import type { ParserKernelExports } from './parser-kernel-exports.js';

/** Strides of a matrix in elements: element (i, p) is at `i row + p column`. */
export interface Strides {
  readonly row: number;
  readonly column: number;
}

const pageBytes = 65_536;
const floatBytes = 4;
/** For `quantizedLinear`: 512 inputs of 32 rows. `gemm` needs less: eight columns of 384 rows. */
const scratchBytes = 32 * (4 + 2 * 512);
/** 64-bit floats of scratch that `viterbi` needs per word and path. */
export const viterbiScratch = 6;

/**
 * The parser's arithmetic in WebAssembly, on arrays in its own memory, which has a fixed size and is never freed. Row widths
 * are multiples of 8, so that vector instructions leave no remainder. No kernel checks the end of an array.
 *
 * Offsets are in elements from the start of an array, because creating views would take longer than the arithmetic.
 */
export class ParserKernels {
  /** The memory of all arrays. */
  readonly memory: WebAssembly.Memory;
  /** Address of the scratch memory that kernels share. */
  readonly scratch: number;
  readonly #exports: ParserKernelExports;
  #used: number;

  /** @param bytes size of the memory, rounded up to pages */
  constructor(bytes: number) {
    this.memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) + 1 });
    const instance = new WebAssembly.Instance(kernelModule(), { env: { memory: this.memory } });
    this.#exports = instance.exports as unknown as ParserKernelExports;
    this.#used = Math.ceil(this.#exports.freeFrom() / 16) * 16;
    this.scratch = this.#allocate(scratchBytes);
  }

  /**
   * Allocates 32-bit floats.
   * @returns zeros, aligned to 16 bytes
   * @throws RangeError if the memory is full
   */
  floats(length: number): Float32Array {
    return new Float32Array(this.memory.buffer, this.#allocate(4 * length), length);
  }

  /** Allocates 32-bit integers: see `floats`. */
  integers(length: number): Int32Array {
    return new Int32Array(this.memory.buffer, this.#allocate(4 * length), length);
  }

  /** Allocates 16-bit integers: see `floats`. */
  shorts(length: number): Int16Array {
    return new Int16Array(this.memory.buffer, this.#allocate(2 * length), length);
  }

  /** Allocates 64-bit floats: see `floats`. */
  doubles(length: number): Float64Array {
    return new Float64Array(this.memory.buffer, this.#allocate(8 * length), length);
  }

  /** Allocates bytes: see `floats`. */
  bytes(length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, this.#allocate(length), length);
  }

  #allocate(bytes: number): number {
    const start = this.#used;
    this.#used += Math.ceil(bytes / 16) * 16;
    const { byteLength } = this.memory.buffer;
    if (this.#used > byteLength)
      throw new RangeError(`parser kernels: memory of ${byteLength} bytes is full, ${bytes} more were requested`);
    return start;
  }

  /**
   * c += a · b
   * @param a `[m, k]` with `strides`
   * @param b `[k, n]`, row-major; n is a multiple of 8
   * @param c `[m, n]`, row-major
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
    this.#exports.gemm(m, n, k, a.byteOffset, row, column, b.byteOffset, c.byteOffset, this.scratch);
  }

  /**
   * y = b + x · w
   * @param x `[rows, inputs]`; w `[inputs, outputs]`; b `[outputs]` or null; y `[rows, outputs]`
   */
  linear(
    rows: number,
    x: Float32Array,
    xStart: number,
    inputs: number,
    w: Float32Array,
    b: Float32Array | null,
    y: Float32Array,
    yStart: number,
    outputs: number,
  ): void {
    if (b) for (let i = 0; i < rows; i++) y.set(b, yStart + i * outputs);
    else y.fill(0, yStart, yStart + rows * outputs);
    const [from, to] = [x.byteOffset + floatBytes * xStart, y.byteOffset + floatBytes * yStart];
    this.#exports.gemm(rows, outputs, inputs, from, inputs, 1, w.byteOffset, to, this.scratch);
  }

  /**
   * y = b + x · w in 12-bit integers, twice as fast as `linear`; y = max(b + x · w, 0) if `isRelu`.
   * @param x `[rows, inputs]`; y `[rows, outputs]`, both from an offset on
   */
  quantizedLinear(
    rows: number,
    x: Float32Array,
    xStart: number,
    { inputs, outputs, weights, scales, bias }: PackedMatrix,
    y: Float32Array,
    yStart: number,
    isRelu: boolean,
  ): void {
    this.#exports.quantizedLinear(
      rows,
      inputs,
      outputs,
      x.byteOffset + floatBytes * xStart,
      weights.byteOffset,
      scales.byteOffset,
      bias.byteOffset,
      y.byteOffset + floatBytes * yStart,
      this.scratch,
      isRelu ? 1 : 0,
    );
  }

  /**
   * A gated sum along a caption in both directions, which gives a word its context: the recurrence of the Simple Recurrent
   * Unit, element by element, with the softsign in place of the exponential:
   *
   *     f = (1 + s(zf)) / 2     u = s(zu)     c(t) = c(t-1) + f (u - c(t-1))     s(z) = z / (1 + |z|)
   *
   * Source: Lei et al., "Simple Recurrent Units for Highly Parallelizable Recurrence", 2018.
   *
   * @param gates `[rows, 4 width]`: forward zf and zu, then backward zf and zu; set to f and u
   * @param c `[rows, 2 width]`: set to the forward, then the backward sums
   * @param start row of the caption's first word in gates and c
   */
  scan(gates: Float32Array, c: Float32Array, width: number, start: number, length: number): void {
    const row = start * width * floatBytes;
    this.#exports.scan(gates.byteOffset + 4 * row, c.byteOffset + 2 * row, width, length);
  }

  /** a += b, both from an offset on. */
  add(a: Float32Array, aStart: number, b: Float32Array, bStart: number, length: number): void {
    this.#exports.add(a.byteOffset + floatBytes * aStart, b.byteOffset + floatBytes * bStart, length);
  }

  /** a = max(a + b, 0), both from an offset on. */
  addRelu(a: Float32Array, aStart: number, b: Float32Array, bStart: number, length: number): void {
    this.#exports.addRelu(a.byteOffset + floatBytes * aStart, b.byteOffset + floatBytes * bStart, length);
  }

  /** a = max(a, 0). */
  relu(a: Float32Array, length: number): void {
    this.#exports.relu(a.byteOffset, length);
  }

  /** Returns Σ a b, both from an offset on. */
  dot(a: Float32Array, aStart: number, b: Float32Array, bStart: number, length: number): number {
    return this.#exports.dot(a.byteOffset + floatBytes * aStart, b.byteOffset + floatBytes * bStart, length);
  }

  /**
   * Sums each row's window of words, the bias and one row of a table, and applies max(…, 0).
   * @param wordIds `[rows]`: the word of each row
   * @param contributions `[words, window, width]`: what a word adds to a row, by its position in the row's window
   * @param bias `[width]`; to `[rows, width]`
   * @param table `[flags, width]`; `flags` `[rows]` selects the row of it to add
   */
  sumWindows(
    rows: number,
    width: number,
    wordIds: Int32Array,
    contributions: Float32Array,
    window: number,
    bias: Float32Array,
    table: Float32Array,
    flags: Int32Array,
    to: Float32Array,
  ): void {
    this.#exports.sumWindows(
      rows,
      width,
      wordIds.byteOffset,
      contributions.byteOffset,
      window,
      bias.byteOffset,
      table.byteOffset,
      flags.byteOffset,
      to.byteOffset,
    );
  }

  /**
   * to = x + the mean of a table's rows, weighted by the softmax of each row's scores.
   * @param scores `[rows, 8]` with `count` used columns; weights `[rows, 8]`: set to the softmax
   * @param table `[count, width]`; x, to `[rows, width]`
   */
  addSoftEmbeddings(
    rows: number,
    width: number,
    count: number,
    scores: Float32Array,
    weights: Float32Array,
    table: Float32Array,
    x: Float32Array,
    to: Float32Array,
  ): void {
    this.#exports.addSoftEmbeddings(
      rows,
      width,
      count,
      scores.byteOffset,
      weights.byteOffset,
      table.byteOffset,
      x.byteOffset,
      to.byteOffset,
    );
  }

  /**
   * Computes the input row of each pair of mentions: max(0, bias + first + second + product of both + maximum over the words
   * between + distances).
   * @param pairs `Pair[count]`: see structs.as.ts
   * @param mentions `[mentions, 4 width]`: each mention's terms as first and as second, and its factors as first and as second
   * @param empty the maximum between two adjacent mentions, and the least that any other may be
   * @param pairMax `[count, width]`: set to the maximum between the mentions; to `[count, width]`
   */
  pairInputs(
    count: number,
    width: number,
    pairs: Int32Array,
    mentions: Float32Array,
    between: Float32Array,
    distances: Float32Array,
    bias: Float32Array,
    empty: number,
    pairMax: Float32Array,
    to: Float32Array,
  ): void {
    this.#exports.pairInputs(
      count,
      width,
      pairs.byteOffset,
      mentions.byteOffset,
      between.byteOffset,
      distances.byteOffset,
      bias.byteOffset,
      empty,
      pairMax.byteOffset,
      to.byteOffset,
    );
  }

  /**
   * Finds the column of each row's largest score and its probability in the row's softmax.
   * @param scores `[rows, width]`; columns, probabilities `[rows]`
   */
  argmaxRows(
    rows: number,
    width: number,
    scores: Float32Array,
    columns: Int32Array,
    probabilities: Float32Array,
  ): void {
    this.#exports.argmaxRows(rows, width, scores.byteOffset, columns.byteOffset, probabilities.byteOffset);
  }

  /**
   * N-best Viterbi decoding of a caption's tags, best sequence first.
   * @param start row of its first word in `tagScores`
   * @param count most sequences to find; margin how far a sequence's score may be below the best one's, in nats
   * @param scratch `[viterbiScratch · length · count]`
   * @param tags `[count, length]`, totals `[count]`: set to the sequences and their log-probabilities up to a constant of the
   *   caption
   * @returns the number of sequences found, from 1 to `count`
   */
  viterbi(
    { tagScores, transitions, starts }: CrfScores,
    start: number,
    length: number,
    count: number,
    margin: number,
    scratch: Float64Array,
    tags: Uint8Array,
    totals: Float64Array,
  ): number {
    return this.#exports.viterbi(
      tagScores.byteOffset + floatBytes * tagStride * start,
      transitions.byteOffset,
      starts.byteOffset,
      length,
      count,
      margin,
      scratch.byteOffset,
      tags.byteOffset,
      totals.byteOffset,
    );
  }

  /**
   * Reads a caption, from its words to its graph: see read-caption.as.ts.
   * @param plan `ReadPlan.address`
   * @param rows words, at least one
   * @param hypotheses most taggings to compare; margin how far a tagging's score may be below the best one's, in nats
   */
  readCaption(plan: number, rows: number, hypotheses: number, margin: number): void {
    this.#exports.readCaption(plan, rows, hypotheses, margin);
  }
}

let compiled: WebAssembly.Module | undefined;
const kernelModule = () => {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('parser-kernels.wasm', import.meta.url)));
  return compiled;
};
