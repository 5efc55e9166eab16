import { readFileSync } from 'node:fs';
import { tagStride } from '../network-parameters.js';
import type { CrfScores } from '../tag-sequence.js';
import type { KernelExports } from './kernel-exports.js';
import type { PackedMatrix } from './packed-matrix.js';

/** How a matrix lies in an array: element (i, p) at `i row + p column`. */
export interface Strides {
  readonly row: number;
  readonly column: number;
}

const pageBytes = 65_536;
const floatBytes = 4;
/** Of `linear16`: 512 inputs of 32 rows; of `gemm`, which needs less: eight columns of 384 rows. */
const scratchBytes = 32 * (4 + 2 * 512);
/** 64-bit floats of scratch that `likeliestTags` takes for each token and way. */
export const tagWork = 6;

/**
 * The parser's arithmetic in WebAssembly, on arrays of numbers in its own memory. The memory's size is fixed; nothing is
 * given back. Widths of rows are multiples of 8, which leaves the vector instructions no rest. Nothing checks an array's end.
 *
 * Offsets are in elements, from the start of an array: views would cost more than the arithmetic.
 */
export class ParserKernels {
  /** Where all arrays lie. */
  readonly memory: WebAssembly.Memory;
  readonly #run: KernelExports;
  /** Address of what kernels work in. */
  readonly scratch: number;
  #used: number;

  constructor(bytes: number) {
    this.memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / pageBytes) + 1 });
    const instance = new WebAssembly.Instance(kernelModule(), { env: { memory: this.memory } });
    this.#run = instance.exports as unknown as KernelExports;
    this.#used = Math.ceil(this.#run.freeFrom() / 16) * 16;
    this.scratch = this.#allocate(scratchBytes);
  }

  /**
   * @returns zeros, aligned to 16 bytes
   * @throws RangeError where the memory is full
   */
  floats(length: number): Float32Array {
    return new Float32Array(this.memory.buffer, this.#allocate(4 * length), length);
  }

  /** As `floats`, of 32 bits. */
  integers(length: number): Int32Array {
    return new Int32Array(this.memory.buffer, this.#allocate(4 * length), length);
  }

  /** As `floats`, of 16 bits. */
  shorts(length: number): Int16Array {
    return new Int16Array(this.memory.buffer, this.#allocate(2 * length), length);
  }

  /** As `floats`, of 64 bits. */
  doubles(length: number): Float64Array {
    return new Float64Array(this.memory.buffer, this.#allocate(8 * length), length);
  }

  /** As `floats`, of 8 bits. */
  bytes(length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, this.#allocate(length), length);
  }

  #allocate(bytes: number): number {
    const start = this.#used;
    this.#used += Math.ceil(bytes / 16) * 16;
    if (this.#used > this.memory.buffer.byteLength) throw new RangeError('memory of the kernels is full');
    return start;
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
    this.#run.gemm(m, n, k, a.byteOffset, row, column, b.byteOffset, c.byteOffset, this.scratch);
  }

  /**
   * y = b + x · w
   * @param x `[rows, inputs]`; w `[inputs, outputs]`; b `[outputs]` or none; y `[rows, outputs]`
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
    this.#run.gemm(rows, outputs, inputs, from, inputs, 1, w.byteOffset, to, this.scratch);
  }

  /**
   * The same in whole numbers of 12 bits, twice as fast; where `isRelu`, y = max(b + x · w, 0).
   * @param x `[rows, inputs]`; y `[rows, outputs]`, both from an offset on
   */
  linearWhole(
    rows: number,
    x: Float32Array,
    xStart: number,
    { inputs, outputs, whole, scales, bias }: PackedMatrix,
    y: Float32Array,
    yStart: number,
    isRelu: boolean,
  ): void {
    this.#run.linear16(
      rows,
      inputs,
      outputs,
      x.byteOffset + floatBytes * xStart,
      whole.byteOffset,
      scales.byteOffset,
      bias.byteOffset,
      y.byteOffset + floatBytes * yStart,
      this.scratch,
      isRelu ? 1 : 0,
    );
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

  /** a = max(a + b, 0), from an offset on. */
  addRelu(a: Float32Array, aStart: number, b: Float32Array, bStart: number, length: number): void {
    this.#run.addRelu(a.byteOffset + floatBytes * aStart, b.byteOffset + floatBytes * bStart, length);
  }

  /** a = max(a, 0). */
  relu(a: Float32Array, length: number): void {
    this.#run.relu(a.byteOffset, length);
  }

  /** Σ a b, from an offset on. */
  dot(a: Float32Array, aStart: number, b: Float32Array, bStart: number, length: number): number {
    return this.#run.dot(a.byteOffset + floatBytes * aStart, b.byteOffset + floatBytes * bStart, length);
  }

  /**
   * Each row's sum over its window, at least 0.
   * @param slots `[rows]`: which word stands in a row
   * @param given `[words, window, width]`: what a word gives to a row, by its place in the row's window
   * @param table `[flags, width]`, `flags` `[rows]`: which of its rows is added beside the bias
   */
  windows(
    rows: number,
    width: number,
    slots: Int32Array,
    given: Float32Array,
    window: number,
    bias: Float32Array,
    table: Float32Array,
    flags: Int32Array,
    to: Float32Array,
  ): void {
    this.#run.windows(
      rows,
      width,
      slots.byteOffset,
      given.byteOffset,
      window,
      bias.byteOffset,
      table.byteOffset,
      flags.byteOffset,
      to.byteOffset,
    );
  }

  /**
   * to = x + the expectation of a table's rows under the softmax of each row's scores.
   * @param scores `[rows, 8]`, of which `count` count; weights `[rows, 8]`: set to the softmax
   * @param table `[count, width]`; x, to `[rows, width]`
   */
  addExpected(
    rows: number,
    width: number,
    count: number,
    scores: Float32Array,
    weights: Float32Array,
    table: Float32Array,
    x: Float32Array,
    to: Float32Array,
  ): void {
    this.#run.addExpected(
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
   * One row for each pair of mentions: its bias, what either mention is, their product, the largest of what stands between
   * them, their distances; at least 0.
   * @param pairs `[count, 6]`: first and second mention, rows between them from and to, two rows of `distances`
   * @param mentions `[mentions, 4 width]`: what each is as a first, as a second, as a factor of either
   * @param least what stands between two mentions where nothing does
   * @param most `[count, width]`: set to the largest between
   */
  pairInputs(
    count: number,
    width: number,
    pairs: Int32Array,
    mentions: Float32Array,
    between: Float32Array,
    distances: Float32Array,
    bias: Float32Array,
    least: number,
    most: Float32Array,
    to: Float32Array,
  ): void {
    this.#run.pairInputs(
      count,
      width,
      pairs.byteOffset,
      mentions.byteOffset,
      between.byteOffset,
      distances.byteOffset,
      bias.byteOffset,
      least,
      most.byteOffset,
      to.byteOffset,
    );
  }

  /**
   * Of each row the place of its largest score and the probability of that in the row's softmax.
   * @param scores `[rows, width]`; places, probabilities `[rows]`
   */
  likeliest(rows: number, width: number, scores: Float32Array, places: Int32Array, probabilities: Float32Array): void {
    this.#run.likeliest(rows, width, scores.byteOffset, places.byteOffset, probabilities.byteOffset);
  }

  /**
   * The likeliest tag sequences of a caption, the best first: Viterbi's algorithm with several ways kept at each tag.
   * @param start row of its first token in `tagScores`
   * @param reach how much less likely than the best they may be, in nats
   * @param work `[tagWork · length · count]`
   * @param tags `[count, length]`, totals `[count]`: set to the sequences and the logarithms of how likely they are, up to a
   *   constant of the caption
   * @returns how many there are, from 1 to `count`
   */
  likeliestTags(
    { tagScores, transitions, starts }: CrfScores,
    start: number,
    length: number,
    count: number,
    reach: number,
    work: Float64Array,
    tags: Uint8Array,
    totals: Float64Array,
  ): number {
    return this.#run.likeliestTags(
      tagScores.byteOffset + floatBytes * tagStride * start,
      transitions.byteOffset,
      starts.byteOffset,
      length,
      count,
      reach,
      work.byteOffset,
      tags.byteOffset,
      totals.byteOffset,
    );
  }

  /**
   * Reads a caption from its words to its graph.
   * @param plan `ReadPlan.addresses`
   * @param rows words, at least one
   * @param readings how many taggings are looked at; reach how much less likely than the best they may be, in nats
   */
  read(plan: Int32Array, rows: number, readings: number, reach: number): void {
    this.#run.read(plan.byteOffset, rows, readings, reach);
  }
}

let compiled: WebAssembly.Module | undefined;
const kernelModule = () => {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('parser-kernels.wasm', import.meta.url)));
  return compiled;
};
