import type * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../records/random.js';
import { dataTensor } from '../recording/data-tensor.js';
import { PADDING_ID, type TokenizedTexts } from './roberta.js';
import { FIRST_BYTE } from './tokenizer.js';

/** Weights of the features of a text: the whole text, its words, and its letter trigrams. */
const FEATURE_WEIGHTS = { text: 0.5, words: 0.35, letters: 0.15 } as const;
const TRIGRAM = 3;
const SPACE = FIRST_BYTE + 32;

/**
 * Text encoder without weights, for models that are too small to learn the meaning of letters in a short training. The vector
 * of a text is a sum of fixed random vectors, seeded by hashes of the text, of each word, and of each letter trigram. So labels
 * are distinguishable from the first training step on, labels that share words have similar vectors, and the layers after the
 * text encoder learn everything else.
 *
 * Source: the features are those of Bojanowski et al., "Enriching Word Vectors with Subword Information", 2017.
 */
export class HashedTextEncoder {
  readonly #width: number;
  readonly #cache = new Map<string, Float32Array>();

  constructor(width: number) {
    this.#width = width;
  }

  /** @param texts tokens of `byteTokenizer` @returns vectors of length √width, `[texts, width]` */
  apply({ ids, texts, tokens }: TokenizedTexts): tf.Tensor2D {
    const vectors = new Float32Array(texts * this.#width);
    for (let k = 0; k < texts; k++)
      vectors.set(this.#vector(ids.subarray(k * tokens, (k + 1) * tokens)), k * this.#width);
    return dataTensor('texts.vectors', vectors, [texts, this.#width]);
  }

  #vector(ids: Int32Array): Float32Array {
    const bytes = [...ids].filter((id) => id !== PADDING_ID && id >= FIRST_BYTE);
    const key = bytes.join();
    const cached = this.#cache.get(key);
    if (cached) return cached;
    const words = splitWords(bytes);
    const letters = words.flatMap((word) => {
      // Spaces mark the start and the end of a word, where its letters are most informative.
      const marked = [SPACE, ...word, SPACE];
      return Array.from({ length: Math.max(1, marked.length - TRIGRAM + 1) }, (_, k) => marked.slice(k, k + TRIGRAM));
    });
    const sum = new Float64Array(this.#width);
    for (const [kind, parts] of [
      ['text', [bytes]],
      ['words', words],
      ['letters', letters],
    ] as const)
      for (const part of parts) {
        const random = new Random(hashOf(kind, part));
        for (let d = 0; d < sum.length; d++)
          sum[d]! += (FEATURE_WEIGHTS[kind] * random.normal()) / Math.sqrt(parts.length);
      }
    const length = Math.sqrt(sum.reduce((all, value) => all + value * value, 0) / sum.length) || 1;
    const vector = Float32Array.from(sum, (value) => value / length);
    this.#cache.set(key, vector);
    return vector;
  }
}

function splitWords(bytes: readonly number[]): number[][] {
  const words: number[][] = [];
  let word: number[] = [];
  for (const byte of [...bytes, SPACE])
    if (byte !== SPACE) word.push(byte);
    else if (word.length > 0) {
      words.push(word);
      word = [];
    }
  return words.length > 0 ? words : [[]];
}

/** 32-bit FNV-1a hash of a kind of feature and its bytes. */
function hashOf(kind: string, bytes: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const byte of [kind.length, ...bytes]) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
