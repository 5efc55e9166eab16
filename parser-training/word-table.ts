import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import { affixRows, shapeRows, type WordForm, wordForm } from '../src/parser/neural/word-inputs.js';
import type { Random } from '../src/records/random.js';
import { Adam } from './adam.js';
import type { TrainingKernels } from './kernels/training-kernels.js';
import { dimensions } from './word-vectors.js';

/** Width of a row of pretrained vectors: a multiple of 8 for the kernels. */
const vectorStride = Math.ceil(dimensions / 8) * 8;
/** Factor of the unit vectors, which are small compared to the other summands. */
const vectorScale = 3;

interface KnownWord extends WordForm {
  /** Row of the table of words; 0 for words that are not in the vocabulary. */
  readonly row: number;
  readonly vector: Float32Array | undefined;
}

/** Trained word vectors: each the sum of the word's own row, its projected pretrained vector, its affixes and its shape. */
export class WordTable {
  readonly #kernels: ParserKernels;
  readonly width: number;
  readonly #vectors: ReadonlyMap<string, Float32Array>;
  readonly #rowOf: ReadonlyMap<string, number>;
  readonly #known = new Map<string, KnownWord>();
  readonly words: Float32Array;
  readonly projection: Float32Array;
  readonly affixes: Float32Array;
  readonly shapes: Float32Array;
  readonly #gradients: { words: Float32Array; projection: Float32Array; affixes: Float32Array; shapes: Float32Array };
  readonly #optimizers: { words: Adam; projection: Adam; affixes: Adam; shapes: Adam };
  readonly #gathered: Float32Array;
  readonly #touched = { words: new Set<number>(), affixes: new Set<number>(), shapes: new Set<number>() };

  /**
   * @param training kernels on the same memory
   * @param affixes, shapes the network's parameters
   * @param vocabulary words with a row of their own; vectors pretrained unit vectors
   * @param maxRows most rows of a batch
   */
  constructor(
    kernels: ParserKernels,
    training: TrainingKernels,
    width: number,
    { affixes, shapes }: { readonly affixes: Float32Array; readonly shapes: Float32Array },
    vocabulary: readonly string[],
    vectors: ReadonlyMap<string, Float32Array>,
    maxRows: number,
    random: Random,
  ) {
    this.#kernels = kernels;
    this.width = width;
    this.#vectors = vectors;
    this.#rowOf = new Map(vocabulary.map((word, k) => [word, k + 1]));
    this.words = kernels.floats((vocabulary.length + 1) * width);
    this.projection = kernels.floats(vectorStride * width);
    this.affixes = affixes;
    this.shapes = shapes;
    const fill = (values: Float32Array, deviation: number) => {
      for (let k = 0; k < values.length; k++) values[k] = deviation * random.normal();
    };
    fill(this.words, 0.3);
    fill(this.projection, 1 / Math.sqrt(dimensions));
    fill(affixes, 0.15);
    fill(shapes, 0.3);
    this.#gradients = {
      words: kernels.floats(this.words.length),
      projection: kernels.floats(this.projection.length),
      affixes: kernels.floats(affixRows * width),
      shapes: kernels.floats(shapeRows * width),
    };
    const g = this.#gradients;
    this.#optimizers = {
      words: new Adam(kernels, training, this.words, g.words),
      projection: new Adam(kernels, training, this.projection, g.projection),
      affixes: new Adam(kernels, training, affixes, g.affixes),
      shapes: new Adam(kernels, training, shapes, g.shapes),
    };
    this.#gathered = kernels.floats(maxRows * vectorStride);
  }

  get optimizers(): readonly Adam[] {
    return Object.values(this.#optimizers);
  }

  known(word: string): KnownWord {
    let known = this.#known.get(word);
    if (!known) {
      known = { ...wordForm(word), row: this.#rowOf.get(word) ?? 0, vector: this.#vectorOf(word) };
      this.#known.set(word, known);
    }
    return known;
  }

  #vectorOf(word: string): Float32Array | undefined {
    return this.#vectors.get(word) ?? this.#vectors.get(word.slice(word.lastIndexOf('-') + 1));
  }

  /**
   * Computes the vectors of a batch's words.
   * @param masked `[rows]`: 1 for rows whose word counts as unknown
   * @param x `[rows, width]`: set to the vectors, or zeros for rows without a word
   */
  embed(words: readonly (string | null)[], masked: Uint8Array, x: Float32Array): void {
    const width = this.width;
    x.fill(0, 0, words.length * width);
    this.#gather(words);
    this.#kernels.multiply(
      words.length,
      width,
      vectorStride,
      this.#gathered,
      { row: vectorStride, column: 1 },
      this.projection,
      x,
    );
    words.forEach((word, at) => {
      if (word === null) return;
      const { row, affixes, shape } = this.known(word);
      addRow(x, at, this.words, masked[at] ? 0 : row, width);
      for (const affix of affixes) addRow(x, at, this.affixes, affix, width);
      addRow(x, at, this.shapes, shape, width);
    });
  }

  #gather(words: readonly (string | null)[]): void {
    words.forEach((word, at) => {
      const vector = word === null ? undefined : this.known(word).vector;
      const to = this.#gathered.subarray(at * vectorStride, (at + 1) * vectorStride);
      to.fill(0);
      if (vector) for (let k = 0; k < dimensions; k++) to[k] = vectorScale * vector[k]!;
    });
  }

  /** Adds the gradients of the last batch that `embed` computed. @returns the sum of their squares */
  backward(words: readonly (string | null)[], masked: Uint8Array, dx: Float32Array): number {
    const width = this.width;
    const g = this.#gradients;
    this.#kernels.multiply(
      vectorStride,
      width,
      words.length,
      this.#gathered,
      { row: 1, column: vectorStride },
      dx,
      g.projection,
    );
    words.forEach((word, at) => {
      if (word === null) return;
      const { row, affixes, shape } = this.known(word);
      const own = masked[at] ? 0 : row;
      this.#touched.words.add(own);
      addRow(g.words, own, dx, at, width);
      for (const affix of affixes) {
        this.#touched.affixes.add(affix);
        addRow(g.affixes, affix, dx, at, width);
      }
      this.#touched.shapes.add(shape);
      addRow(g.shapes, shape, dx, at, width);
    });
    let squares = 0;
    for (let k = 0; k < g.projection.length; k++) squares += g.projection[k]! ** 2;
    for (const name of ['words', 'affixes', 'shapes'] as const)
      for (const row of this.#touched[name])
        for (let k = row * width; k < (row + 1) * width; k++) squares += g[name][k]! ** 2;
    return squares;
  }

  step(learningRate: number, scale: number): void {
    this.#optimizers.projection.step(learningRate, scale);
    for (const name of ['words', 'affixes', 'shapes'] as const) {
      this.#optimizers[name].stepRows(this.#touched[name], this.width, learningRate, scale);
      this.#touched[name].clear();
    }
  }

  /** Returns the part of a word's vector that the model stores; the parser adds affixes and shape. */
  ownVector(word: string): Float32Array {
    const { row, vector } = this.known(word);
    const sum = this.words.slice(row * this.width, (row + 1) * this.width);
    if (vector)
      for (let d = 0; d < dimensions; d++)
        for (let k = 0; k < this.width; k++) sum[k]! += vectorScale * vector[d]! * this.projection[d * this.width + k]!;
    return sum;
  }
}

function addRow(to: Float32Array, toRow: number, from: Float32Array, fromRow: number, width: number): void {
  for (let k = 0; k < width; k++) to[toRow * width + k]! += from[fromRow * width + k]!;
}
