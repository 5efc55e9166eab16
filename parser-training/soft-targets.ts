import { tagCount } from '../src/parser/neural/network-parameters.js';
import type { CrfMarginals } from './crf-loss.js';

/** A teacher's probabilities for the choices of an example, in 255ths. */
export interface SoftTargets {
  /** Weight of the teacher against the example's own labels, in [0, 1]. */
  readonly weight: number;
  /** `[words, 5]` */
  readonly tags: Uint8Array;
  /** `[words, 5, 5]`: from the tag of the word before to the tag of the word; zero for the first word. */
  readonly transitions: Uint8Array;
  /** `[pairs, labels]` */
  readonly labels: Uint8Array;
  /** `[pairs, verbs]`, `[pairs, prepositions]`: over the example's possible fillers. */
  readonly verb: Uint8Array;
  readonly preposition: Uint8Array;
  /** `[owners]` */
  readonly owners: Uint8Array;
}

/** A teacher's probabilities for one choice, and their weight in [0, 1]. */
export interface SoftTarget {
  readonly weight: number;
  readonly probabilities: Float32Array;
}

/** Converts probabilities to 255ths. */
export const toBytes = (probabilities: Float32Array): Uint8Array =>
  Uint8Array.from(probabilities, (value) => Math.round(255 * value));

/** Returns the k-th choice among `width`; undefined without a teacher, or if all of its probabilities round to zero. */
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

/** Returns the soft targets of a caption's tags. */
export function tagTargets({ tags, transitions }: SoftTargets): CrfMarginals {
  const normalized = (bytes: Uint8Array, width: number) => {
    const values = Float32Array.from(bytes);
    for (let start = 0; start < values.length; start += width) normalize(values, start, width);
    return values;
  };
  return { tags: normalized(tags, tagCount), transitions: normalized(transitions, tagCount * tagCount) };
}

/** Divides values by their sum. @returns the sum */
function normalize(values: Float32Array, start: number, width: number): number {
  let sum = 0;
  for (let k = start; k < start + width; k++) sum += values[k]!;
  if (sum > 0) for (let k = start; k < start + width; k++) values[k]! /= sum;
  return sum;
}
