import { tagCount } from '../src/parser/neural/network-parameters.js';
import type { CrfMarginals } from './crf-loss.js';

/** What a teacher believes of an example: probabilities where the example has facts, in 255ths. */
export interface SoftTargets {
  /** How much the teacher counts beside the example's own facts, in [0, 1]. */
  readonly weight: number;
  /** `[tokens, 5]` */
  readonly tags: Uint8Array;
  /** `[tokens, 5, 5]`: from the tag before to the tag; the first token's are zero. */
  readonly transitions: Uint8Array;
  /** `[pairs, labels]` */
  readonly labels: Uint8Array;
  /** By pair: over the example's verbs and prepositions. `[pairs, verbs]`, `[pairs, prepositions]` */
  readonly verb: Uint8Array;
  readonly preposition: Uint8Array;
  /** `[owners]` */
  readonly owners: Uint8Array;
}

/** A teacher's probabilities of one choice, and how much they count. */
export interface SoftTarget {
  readonly weight: number;
  readonly probabilities: Float32Array;
}

/** @param probabilities in [0, 1] */
export const toBytes = (probabilities: Float32Array): Uint8Array =>
  Uint8Array.from(probabilities, (value) => Math.round(255 * value));

/** One of several choices of `width`; undefined where there is no teacher or it believes in nothing. */
export function softTarget(
  soft: SoftTargets | undefined,
  kind: 'labels' | 'verb' | 'preposition',
  k: number,
  width: number,
): SoftTarget | undefined {
  if (!soft) return undefined;
  const probabilities = Float32Array.from(soft[kind].subarray(k * width, (k + 1) * width));
  const sum = normalize(probabilities, 0, width);
  return sum > 0 ? { weight: soft.weight, probabilities } : undefined;
}

export function tagTargets({ tags, transitions }: SoftTargets): CrfMarginals {
  const normalized = (bytes: Uint8Array, width: number) => {
    const values = Float32Array.from(bytes);
    for (let start = 0; start < values.length; start += width) normalize(values, start, width);
    return values;
  };
  return { tags: normalized(tags, tagCount), transitions: normalized(transitions, tagCount * tagCount) };
}

/** @returns their sum before */
function normalize(values: Float32Array, start: number, width: number): number {
  let sum = 0;
  for (let k = start; k < start + width; k++) sum += values[k]!;
  if (sum > 0) for (let k = start; k < start + width; k++) values[k]! /= sum;
  return sum;
}
