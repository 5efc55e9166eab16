import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import type { CaptionRows } from './activations.js';
import type { DropoutMasks } from './dropout-masks.js';
import type { TrainingKernels } from './kernels/training-kernels.js';
import type { TransformerSizes, TransformerWeights } from './transformer-weights.js';
import { WordPieces } from './word-pieces.js';

/** Most pieces of a caption; the rest is not read. */
const maxPositions = 128;
/** Most pieces of a word; longer words are unknown. */
const maxPieces = 6;

/** Returns the number of rows and columns of each parameter of a layer. */
const layerShapes = ({ hidden, feedForward }: TransformerSizes) =>
  ({
    qkv: [hidden, 3 * hidden],
    qkvBias: [1, 3 * hidden],
    out: [hidden, hidden],
    outBias: [1, hidden],
    outGain: [1, hidden],
    outShift: [1, hidden],
    up: [hidden, feedForward],
    upBias: [1, feedForward],
    down: [feedForward, hidden],
    downBias: [1, hidden],
    downGain: [1, hidden],
    downShift: [1, hidden],
  }) satisfies Record<string, readonly [rows: number, columns: number]>;

type LayerParameters = Readonly<Record<keyof ReturnType<typeof layerShapes>, Float32Array>>;

interface EncoderParameters {
  /** `[128, hidden]` */
  readonly positions: Float32Array;
  readonly gain: Float32Array;
  readonly shift: Float32Array;
  readonly layers: readonly LayerParameters[];
}

/** Arrays of a layer that the backward pass needs. */
interface LayerActivations {
  readonly qkv: Float32Array;
  readonly attention: Float32Array;
  readonly context: Float32Array;
  readonly outNormal: Float32Array;
  readonly outInverse: Float32Array;
  readonly middle: Float32Array;
  readonly up: Float32Array;
  readonly active: Float32Array;
  readonly downNormal: Float32Array;
  readonly downInverse: Float32Array;
  readonly y: Float32Array;
}

/** Returns the names of the layers with dropout. */
export const dropoutLayers = ({ layers }: TransformerSizes): string[] => [
  'embedded',
  ...Array.from({ length: layers }, (_, n) => [`out ${n}`, `down ${n}`]).flat(),
];

/**
 * A pretrained transformer encoder, from words to states, that is trained further except for its vectors of word pieces.
 *
 * Source: Devlin et al., "BERT", 2019; Wang et al., "MiniLM", 2020.
 */
export class PretrainedTransformer {
  readonly sizes: TransformerSizes;
  /** Every trained parameter and its gradient. */
  readonly trained: readonly (readonly [values: Float32Array, gradients: Float32Array])[];
  readonly #kernels: ParserKernels;
  readonly #training: TrainingKernels;
  readonly #pieces: WordPieces;
  readonly #vectors: Float32Array;
  readonly #p: EncoderParameters;
  readonly #d: EncoderParameters;
  readonly #capacity: number;
  readonly #embedded: { normal: Float32Array; inverse: Float32Array; y: Float32Array };
  readonly #layers: readonly LayerActivations[];
  readonly #scratch: {
    sum: Float32Array;
    g: Float32Array;
    qkv: Float32Array;
    feedForward: Float32Array;
    matrix: Float32Array;
  };
  /** The last batch: the rows of each caption's pieces, and the first and last piece of each word. */
  #captions: readonly CaptionRows[] = [];
  #ids = new Int32Array();
  #rows = 0;
  #words: { readonly row: number; readonly first: number; readonly last: number }[] = [];

  /** @param rows most pieces of a batch */
  constructor(
    kernels: ParserKernels,
    training: TrainingKernels,
    { sizes, pieces, tensor }: TransformerWeights,
    rows: number,
  ) {
    this.sizes = sizes;
    this.#kernels = kernels;
    this.#training = training;
    this.#pieces = new WordPieces(pieces);
    this.#vectors = tensor('embeddings.word_embeddings.weight');
    this.#capacity = rows;
    const { hidden, feedForward, heads, layers } = sizes;
    const floats = (width: number) => kernels.floats(rows * width);
    const allocate = (): EncoderParameters => ({
      positions: kernels.floats(maxPositions * hidden),
      gain: kernels.floats(hidden),
      shift: kernels.floats(hidden),
      layers: Array.from({ length: layers }, () => {
        const entries = Object.entries(layerShapes(sizes)).map(([name, [m, n]]) => [name, kernels.floats(m * n)]);
        return Object.fromEntries(entries) as LayerParameters;
      }),
    });
    this.#p = allocate();
    this.#d = allocate();
    const all = ({ positions, gain, shift, layers: own }: EncoderParameters) => [
      positions,
      gain,
      shift,
      ...own.flatMap((layer) => Object.values(layer)),
    ];
    const gradients = all(this.#d);
    this.trained = all(this.#p).map((values, k) => [values, gradients[k]!]);
    this.#embedded = { normal: floats(hidden), inverse: floats(1), y: floats(hidden) };
    this.#layers = Array.from({ length: layers }, () => ({
      qkv: floats(3 * hidden),
      attention: floats(heads * maxPositions),
      context: floats(hidden),
      outNormal: floats(hidden),
      outInverse: floats(1),
      middle: floats(hidden),
      up: floats(feedForward),
      active: floats(feedForward),
      downNormal: floats(hidden),
      downInverse: floats(1),
      y: floats(hidden),
    }));
    this.#scratch = {
      sum: floats(hidden),
      g: floats(hidden),
      qkv: floats(3 * hidden),
      feedForward: floats(feedForward),
      matrix: kernels.floats(hidden * feedForward),
    };
    this.#load(tensor);
  }

  #load(tensor: (name: string) => Float32Array): void {
    const { hidden, layers } = this.sizes;
    const { positions, gain, shift } = this.#p;
    positions.set(tensor('embeddings.position_embeddings.weight').subarray(0, positions.length));
    const type = tensor('embeddings.token_type_embeddings.weight').subarray(0, hidden);
    for (let k = 0; k < positions.length; k++) positions[k]! += type[k % hidden]!;
    gain.set(tensor('embeddings.LayerNorm.weight'));
    shift.set(tensor('embeddings.LayerNorm.bias'));
    // `column`: where the outputs start in a row of `columns`.
    const matrix = (name: string, to: Float32Array, column: number, columns: number) => {
      const w = tensor(`${name}.weight`);
      const outputs = tensor(`${name}.bias`).length;
      const inputs = w.length / outputs;
      for (let i = 0; i < inputs; i++)
        for (let k = 0; k < outputs; k++) to[i * columns + column + k] = w[k * inputs + i]!;
    };
    for (let n = 0; n < layers; n++) {
      const p = this.#p.layers[n]!;
      const name = `encoder.layer.${n}`;
      ['query', 'key', 'value'].forEach((part, k) => {
        matrix(`${name}.attention.self.${part}`, p.qkv, k * hidden, 3 * hidden);
        p.qkvBias.set(tensor(`${name}.attention.self.${part}.bias`), k * hidden);
      });
      matrix(`${name}.attention.output.dense`, p.out, 0, hidden);
      p.outBias.set(tensor(`${name}.attention.output.dense.bias`));
      p.outGain.set(tensor(`${name}.attention.output.LayerNorm.weight`));
      p.outShift.set(tensor(`${name}.attention.output.LayerNorm.bias`));
      matrix(`${name}.intermediate.dense`, p.up, 0, this.sizes.feedForward);
      p.upBias.set(tensor(`${name}.intermediate.dense.bias`));
      matrix(`${name}.output.dense`, p.down, 0, hidden);
      p.downBias.set(tensor(`${name}.output.dense.bias`));
      p.downGain.set(tensor(`${name}.output.LayerNorm.weight`));
      p.downShift.set(tensor(`${name}.output.LayerNorm.bias`));
    }
  }

  /**
   * Computes the states of words.
   * @param words `[rows]`: null for rows without a word; captions the rows of each caption
   * @param state `[rows, hidden]`: set to the mean of each word's first and last piece
   * @throws RangeError for more pieces than `rows` of the constructor
   */
  forward(
    words: readonly (string | null)[],
    captions: readonly CaptionRows[],
    state: Float32Array,
    masks?: DropoutMasks,
  ): void {
    this.#layOut(words, captions);
    const { hidden, feedForward, heads, epsilon } = this.sizes;
    const rows = this.#rows;
    const { sum } = this.#scratch;
    const { positions, gain, shift } = this.#p;
    for (const { start, length } of this.#captions)
      for (let t = 0; t < length; t++)
        for (let k = 0; k < hidden; k++)
          sum[(start + t) * hidden + k] =
            this.#vectors[this.#ids[start + t]! * hidden + k]! + positions[t * hidden + k]!;
    const { normal, inverse, y } = this.#embedded;
    this.#training.normalize(rows, hidden, sum, gain, shift, epsilon, y, normal, inverse);
    masks?.apply(y, rows * hidden, 'embedded');
    let x = y;
    this.#layers.forEach((a, n) => {
      const p = this.#p.layers[n]!;
      this.#kernels.linear(rows, x, 0, hidden, p.qkv, p.qkvBias, a.qkv, 0, 3 * hidden);
      let at = 0;
      for (const { start, length } of this.#captions) {
        this.#training.attend(start, length, heads, hidden / heads, a.qkv, a.attention, at, a.context);
        at += Math.ceil((heads * length * length) / 4) * 4;
      }
      this.#kernels.linear(rows, a.context, 0, hidden, p.out, p.outBias, sum, 0, hidden);
      masks?.apply(sum, rows * hidden, `out ${n}`);
      this.#kernels.add(sum, 0, x, 0, rows * hidden);
      this.#training.normalize(rows, hidden, sum, p.outGain, p.outShift, epsilon, a.middle, a.outNormal, a.outInverse);
      this.#kernels.linear(rows, a.middle, 0, hidden, p.up, p.upBias, a.up, 0, feedForward);
      this.#training.gelu(a.up, a.active, rows * feedForward);
      this.#kernels.linear(rows, a.active, 0, feedForward, p.down, p.downBias, sum, 0, hidden);
      masks?.apply(sum, rows * hidden, `down ${n}`);
      this.#kernels.add(sum, 0, a.middle, 0, rows * hidden);
      this.#training.normalize(rows, hidden, sum, p.downGain, p.downShift, epsilon, a.y, a.downNormal, a.downInverse);
      x = a.y;
    });
    state.fill(0, 0, words.length * hidden);
    for (const { row, first, last } of this.#words)
      for (let k = 0; k < hidden; k++) state[row * hidden + k] = 0.5 * (x[first * hidden + k]! + x[last * hidden + k]!);
  }

  /** Adds the gradients of the parameters. @param state gradient of the states of the last `forward`, with its `masks` */
  backward(state: Float32Array, masks: DropoutMasks): void {
    const { hidden, feedForward, heads } = this.sizes;
    const rows = this.#rows;
    const { g, sum, qkv, feedForward: gFeedForward } = this.#scratch;
    g.fill(0, 0, rows * hidden);
    for (const { row, first, last } of this.#words)
      for (let k = 0; k < hidden; k++) {
        const half = 0.5 * state[row * hidden + k]!;
        g[first * hidden + k]! += half;
        g[last * hidden + k]! += half;
      }
    for (let n = this.#layers.length - 1; n >= 0; n--) {
      const [a, p, d] = [this.#layers[n]!, this.#p.layers[n]!, this.#d.layers[n]!];
      const x = n > 0 ? this.#layers[n - 1]!.y : this.#embedded.y;
      this.#training.normalizeBackward(
        rows,
        hidden,
        a.downNormal,
        a.downInverse,
        p.downGain,
        g,
        g,
        d.downGain,
        d.downShift,
      );
      sum.set(g.subarray(0, rows * hidden));
      masks.applyAgain(sum, rows * hidden, `down ${n}`);
      gFeedForward.fill(0, 0, rows * feedForward);
      this.#linearBackward(rows, a.active, feedForward, p.down, sum, hidden, d.down, d.downBias, gFeedForward);
      this.#training.geluBackward(a.up, gFeedForward, gFeedForward, rows * feedForward);
      this.#linearBackward(rows, a.middle, hidden, p.up, gFeedForward, feedForward, d.up, d.upBias, g);
      this.#training.normalizeBackward(rows, hidden, a.outNormal, a.outInverse, p.outGain, g, g, d.outGain, d.outShift);
      sum.set(g.subarray(0, rows * hidden));
      masks.applyAgain(sum, rows * hidden, `out ${n}`);
      const context = gFeedForward;
      context.fill(0, 0, rows * hidden);
      this.#linearBackward(rows, a.context, hidden, p.out, sum, hidden, d.out, d.outBias, context);
      qkv.fill(0, 0, rows * 3 * hidden);
      let at = 0;
      for (const { start, length } of this.#captions) {
        this.#training.attendBackward(start, length, heads, hidden / heads, a.qkv, a.attention, at, context, qkv, sum);
        at += Math.ceil((heads * length * length) / 4) * 4;
      }
      this.#linearBackward(rows, x, hidden, p.qkv, qkv, 3 * hidden, d.qkv, d.qkvBias, g);
    }
    masks.applyAgain(g, rows * hidden, 'embedded');
    const { normal, inverse } = this.#embedded;
    this.#training.normalizeBackward(rows, hidden, normal, inverse, this.#p.gain, g, g, this.#d.gain, this.#d.shift);
    for (const { start, length } of this.#captions)
      for (let k = 0; k < length * hidden; k++) this.#d.positions[k]! += g[start * hidden + k]!;
  }

  /** dw += xᵀ dy, db += Σ dy, dx += dy wᵀ. */
  #linearBackward(
    rows: number,
    x: Float32Array,
    inputs: number,
    w: Float32Array,
    dy: Float32Array,
    outputs: number,
    dw: Float32Array,
    db: Float32Array,
    dx: Float32Array,
  ): void {
    const { matrix } = this.#scratch;
    this.#kernels.multiply(inputs, outputs, rows, x, { row: 1, column: inputs }, dy, dw);
    this.#training.addRows(rows, outputs, dy, db);
    this.#training.transpose(inputs, outputs, w, matrix);
    this.#kernels.multiply(rows, inputs, outputs, dy, { row: outputs, column: 1 }, matrix, dx);
  }

  #layOut(words: readonly (string | null)[], captions: readonly CaptionRows[]): void {
    const { start: first, end: last, unknown } = this.#pieces.special;
    const ids: number[] = [];
    this.#words = [];
    this.#captions = captions.map((caption) => {
      const start = ids.push(first) - 1;
      for (let row = caption.start; row < caption.start + caption.length; row++) {
        let pieces = this.#pieces.split(words[row]!);
        if (pieces.length > maxPieces) pieces = [unknown];
        if (ids.length - start + pieces.length >= maxPositions) break;
        this.#words.push({ row, first: ids.length, last: ids.length + pieces.length - 1 });
        ids.push(...pieces);
      }
      ids.push(last);
      return { start, length: ids.length - start };
    });
    if (ids.length > this.#capacity)
      throw new RangeError(
        `transformer: a batch of ${ids.length} word pieces, expected at most ${this.#capacity}: use a smaller batch`,
      );
    this.#ids = Int32Array.from(ids);
    this.#rows = ids.length;
  }
}
