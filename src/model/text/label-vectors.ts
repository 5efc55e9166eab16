import * as tf from '@tensorflow/tfjs-core';
import type { RlipV2 } from '../rlip-v2.js';
import { type Tokenizer, tokenize } from './tokenizer.js';

/** Labels that go through the text encoder at once. */
const BATCH = 64;

/** Pooled vectors of labels, each computed once: a vector depends on its label alone. */
export class LabelVectors {
  readonly #model: RlipV2;
  readonly #tokenizer: Tokenizer;
  readonly #known = new Map<string, Float32Array>();

  constructor(model: RlipV2, tokenizer: Tokenizer) {
    this.#model = model;
    this.#tokenizer = tokenizer;
  }

  /** @returns `[labels, text width]` row by row */
  async of(labels: readonly string[]): Promise<Float32Array> {
    const { width, positions } = this.#model.config.text;
    const fresh = [...new Set(labels)].filter((label) => !this.#known.has(label));
    // Labels of about one length go together, so that little is padding.
    fresh.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    for (let start = 0; start < fresh.length; start += BATCH) {
      const batch = fresh.slice(start, start + BATCH);
      const vectors = tf.tidy(() => this.#model.encodeTexts(tokenize(this.#tokenizer, batch, positions - 2)));
      const values = (await vectors.data()) as Float32Array;
      vectors.dispose();
      for (const [k, label] of batch.entries()) this.#known.set(label, values.slice(k * width, (k + 1) * width));
    }
    const result = new Float32Array(labels.length * width);
    for (const [k, label] of labels.entries()) result.set(this.#known.get(label)!, k * width);
    return result;
  }
}
