import type { PairGroup } from '../../model/query-source.js';
import { addToList } from '../../records/add-to-list.js';
import type { Random } from '../../records/random.js';
import { randomInteger } from './random-stream.js';

/** Noise of the denoising queries. */
export interface Noise {
  /** Probability that a label is replaced by a random one. */
  readonly label: number;
  /** Upper bound of a box's change relative to its size: its center moves by up to half of it. */
  readonly box: number;
}

/** The official noise. Source: RLIPv2, main.py, defaults. */
export const officialNoise: Noise = { label: 0.2, box: 0.4 };

/**
 * Returns a noisy copy of an image's pairs, from which queries are made. Subject and object of each pair have their own
 * noise, so that the same object has different noise in each pair.
 *
 *     cx += u₀ · w/2 · λ   cy += u₁ · h/2 · λ   w += u₂ · w · λ   h += u₃ · h · λ,   u in [−1, 1), clipped to [0, 1]
 *
 * @param labelCount random labels are drawn from [0, labelCount)
 *
 * Source: RLIPv2, section 4.2 (denoising), and models/…_verb_tagger, `prepare_query`.
 */
export function denoisingPairs(random: Random, clean: PairGroup, labelCount: number, noise: Noise): PairGroup {
  const count = clean.subjectLabels.length;
  const noisy = {
    subjectBoxes: clean.subjectBoxes.slice(),
    objectBoxes: clean.objectBoxes.slice(),
    subjectLabels: clean.subjectLabels.slice(),
    objectLabels: clean.objectLabels.slice(),
  };
  for (let pair = 0; pair < count; pair++)
    for (const [boxes, labels] of [
      [noisy.subjectBoxes, noisy.subjectLabels],
      [noisy.objectBoxes, noisy.objectLabels],
    ] as const) {
      jitter(random, boxes.subarray(4 * pair, 4 * pair + 4), noise.box);
      // Both numbers are always drawn, so that one kind of noise does not depend on the strength of the other.
      const [isReplaced, label] = [random.next() < noise.label, randomInteger(random, labelCount)];
      if (isReplaced) labels[pair] = label;
    }
  return noisy;
}

function jitter(random: Random, box: Float32Array, strength: number): void {
  const [, , w, h] = box as unknown as [number, number, number, number];
  const reach = [w / 2, h / 2, w, h];
  for (let k = 0; k < 4; k++) {
    const moved = box[k]! + (2 * random.next() - 1) * reach[k]! * strength;
    box[k] = Math.min(1, Math.max(0, moved));
  }
}

/**
 * Returns the attention mask between denoising queries of the same object: they have different noise, so that attention
 * between them would leak the clean box and label.
 *
 * @param clean the pairs before noise, one group for each image
 * @param slots pairs of a group, padding included
 * @returns `[groups, 2 slots, 2 slots]` in row-major order, 1 where attention is masked; null if nothing is masked
 *
 * Source: RLIPv2, `prepare_query`: queries with the same clean label and exactly the same clean box.
 */
export function denoisingLeakMask(clean: readonly PairGroup[], slots: number): Float32Array | null {
  const width = 2 * slots;
  const mask = new Float32Array(clean.length * width * width);
  let isMasked = false;
  for (const [g, group] of clean.entries()) {
    const queriesByObject = new Map<string, number[]>();
    for (const [start, boxes, labels] of [
      [0, group.subjectBoxes, group.subjectLabels],
      [slots, group.objectBoxes, group.objectLabels],
    ] as const)
      for (let pair = 0; pair < labels.length; pair++) {
        const key = `${labels[pair]} ${boxes.subarray(4 * pair, 4 * pair + 4).join(' ')}`;
        addToList(queriesByObject, key, start + pair);
      }
    for (const queries of queriesByObject.values())
      for (const a of queries)
        for (const b of queries)
          if (a !== b) {
            mask[(g * width + a) * width + b] = 1;
            isMasked = true;
          }
  }
  return isMasked ? mask : null;
}
