import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import type { RlipV2 } from '../rlip-v2.js';
import { LabelVectorFile } from './label-vector-file.js';
import { type Tokenizer, tokenizeLabels } from './tokenizer.js';

/** Number of labels that the text encoder processes in one batch. */
const BATCH = 64;

/** Cache of label vectors. Each is computed once, because it depends only on the tokens of its label. */
export class LabelVectors {
  readonly #model: RlipV2;
  readonly #tokenizer: Tokenizer;
  readonly #file: LabelVectorFile | undefined;
  /** Vectors by token ids, joined with spaces. */
  readonly #cached: Map<string, Float32Array>;

  private constructor(
    model: RlipV2,
    tokenizer: Tokenizer,
    file: LabelVectorFile | undefined,
    cached: Map<string, Float32Array>,
  ) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#file = file;
    this.#cached = cached;
  }

  /**
   * @param model with loaded weights
   * @param cache folder in which vectors are cached for later runs; omitted to cache them in memory only
   * @throws InputError if the cached vectors cannot be read
   */
  static async open(model: RlipV2, tokenizer: Tokenizer, cache?: string): Promise<LabelVectors> {
    if (cache === undefined) return new LabelVectors(model, tokenizer, undefined, new Map());
    const encoder = [...model.parameters.values()].filter(({ name }) => name.startsWith('transformer.text_encoder.'));
    const file = await LabelVectorFile.open(cache, encoder, model.config.text.width);
    return new LabelVectors(model, tokenizer, file, await file.read());
  }

  /**
   * @returns vectors of the labels, `[labels, text width]` in row-major order
   * @throws RelflowError (`bad-weights`) if a vector is not finite
   */
  async of(labels: readonly string[]): Promise<Float32Array> {
    const { width, positions } = this.#model.config.text;
    const keys = labels.map((label) => this.#tokenizer.encode(label).join(' '));
    const uncached = new Map<string, string>();
    for (const [k, key] of keys.entries()) if (!this.#cached.has(key)) uncached.set(key, labels[k]!);
    // Labels of similar length share a batch, which reduces padding.
    const missing = [...uncached].sort(([, a], [, b]) => a.length - b.length || (a < b ? -1 : 1));
    for (let start = 0; start < missing.length; start += BATCH) {
      const batch = missing.slice(start, start + BATCH);
      const texts = batch.map(([, label]) => label);
      const vectors = tf.tidy(() => this.#model.encodeTexts(tokenizeLabels(this.#tokenizer, texts, positions - 2)));
      const values = (await vectors.data()) as Float32Array;
      vectors.dispose();
      const bad = values.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0)
        throw new RelflowError(
          'bad-weights',
          `the text encoder returned ${values[bad]} for the label '${texts[Math.floor(bad / width)]}', expected finite numbers: its weights are damaged`,
        );
      const computed = batch.map(([key], k) => [key, values.slice(k * width, (k + 1) * width)] as const);
      for (const [key, vector] of computed) this.#cached.set(key, vector);
      await this.#file?.append(computed);
    }
    const result = new Float32Array(labels.length * width);
    for (const [k, key] of keys.entries()) result.set(this.#cached.get(key)!, k * width);
    return result;
  }
}
