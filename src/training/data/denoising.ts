import type { PairGroup } from '../../model/query-source.js';
import type { Random } from '../../records/random.js';
import { randomInteger } from './random-stream.js';

/** How noisy a tagger's queries are while it learns. */
export interface Noise {
  /** Probability that a label is replaced by any. */
  readonly label: number;
  /** A centre moves by up to half of this share of the box's size, the size changes by up to this share. */
  readonly box: number;
}

/** Source: RLIPv2, main.py, defaults. */
export const officialNoise: Noise = { label: 0.2, box: 0.4 };

/**
 * A noisy copy of an image's pairs, which queries are made of; targets stay as they are. Subject and object of each pair
 * draw for themselves, so that the same object has other noise in each pair.
 *
 *     cx += u₀ · w/2 · λ   cy += u₁ · h/2 · λ   w += u₂ · w · λ   h += u₃ · h · λ,   u in [−1, 1), all held in [0, 1]
 *
 * @param labels a replaced label is any of so many
 *
 * Source: RLIPv2, section 4.2 (denoising), and models/…_verb_tagger, `prepare_query`.
 */
export function noisyPairs(random: Random, clean: PairGroup, labels: number, noise: Noise): PairGroup {
  const count = clean.subjectLabels.length;
  const noisy = {
    subjectBoxes: clean.subjectBoxes.slice(),
    objectBoxes: clean.objectBoxes.slice(),
    subjectLabels: clean.subjectLabels.slice(),
    objectLabels: clean.objectLabels.slice(),
  };
  for (let pair = 0; pair < count; pair++)
    for (const [boxes, classes] of [
      [noisy.subjectBoxes, noisy.subjectLabels],
      [noisy.objectBoxes, noisy.objectLabels],
    ] as const) {
      jitter(random, boxes.subarray(4 * pair, 4 * pair + 4), noise.box);
      // Both numbers are drawn in any case, so that one rate does not change what the other's noise is.
      const [flips, label] = [random.next() < noise.label, randomInteger(random, labels)];
      if (flips) classes[pair] = label;
    }
  return noisy;
}

function jitter(random: Random, box: Float32Array, rate: number): void {
  const [, , w, h] = box as unknown as [number, number, number, number];
  const reach = [w / 2, h / 2, w, h];
  for (let k = 0; k < 4; k++) {
    const moved = box[k]! + (2 * random.next() - 1) * reach[k]! * rate;
    box[k] = Math.min(1, Math.max(0, moved));
  }
}

/**
 * Which queries may not see each other while a tagger learns: two of the same object have different noise, and would
 * tell each other what is true.
 *
 * @param clean the groups before noise
 * @param slots pairs that a group has room for
 * @returns `[groups, 2 slots, 2 slots]` row by row, 1 where apart; null where nothing is
 *
 * Source: RLIPv2, `prepare_query`: the same clean label and the very same clean box.
 */
export function leakMask(clean: readonly PairGroup[], slots: number): Float32Array | null {
  const width = 2 * slots;
  const mask = new Float32Array(clean.length * width * width);
  let some = false;
  for (const [g, group] of clean.entries()) {
    const queriesOf = new Map<string, number[]>();
    for (const [start, boxes, labels] of [
      [0, group.subjectBoxes, group.subjectLabels],
      [slots, group.objectBoxes, group.objectLabels],
    ] as const)
      for (let pair = 0; pair < labels.length; pair++) {
        const key = `${labels[pair]} ${boxes.subarray(4 * pair, 4 * pair + 4).join(' ')}`;
        const queries = queriesOf.get(key);
        if (queries) queries.push(start + pair);
        else queriesOf.set(key, [start + pair]);
      }
    for (const queries of queriesOf.values())
      for (const a of queries)
        for (const b of queries)
          if (a !== b) {
            mask[(g * width + a) * width + b] = 1;
            some = true;
          }
  }
  return some ? mask : null;
}
