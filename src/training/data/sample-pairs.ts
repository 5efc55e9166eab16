import type { Random } from '../../records/random.js';
import { drawWithoutReplacement } from './draw-without-replacement.js';
import { randomInteger } from './random-stream.js';
import type { TrainingPair } from './training-sample.js';

/** With more than this many ordered pairs for each sampled one, rejection sampling is fast. */
const REJECTION_RATIO = 4;

/**
 * Samples the pairs of an image on which a tagger is trained: pairs with relations first, then true negatives, at most
 * `budget` in all. A true negative is an ordered pair of distinct objects without any relation. Time and memory grow
 * with `budget` and the number of relations, not with the number of pairs.
 *
 * @param objects number of objects
 * @param positives each ordered pair once
 * @returns all positives, or a random `budget` of them; negatives have no predicates
 *
 * Source: RLIPv2, datasets/vg.py, `VGRelTagger`.
 */
export function samplePairs(
  random: Random,
  objects: number,
  positives: readonly TrainingPair[],
  budget: number,
): TrainingPair[] {
  if (positives.length >= budget) return drawWithoutReplacement(random, positives, budget);
  const pairCount = objects * (objects - 1);
  const taken = new Set(
    positives.flatMap(({ subject, object }) =>
      object === null || object === subject ? [] : pairIndex(subject, object, objects),
    ),
  );
  const count = Math.min(budget - positives.length, pairCount - taken.size);
  const negatives: number[] = [];
  if (pairCount <= REJECTION_RATIO * budget) {
    const free = Array.from({ length: pairCount }, (_, index) => index).filter((index) => !taken.has(index));
    negatives.push(...drawWithoutReplacement(random, free, count));
  } else
    while (negatives.length < count) {
      const index = randomInteger(random, pairCount);
      if (taken.has(index)) continue;
      taken.add(index);
      negatives.push(index);
    }
  return [...positives, ...negatives.map((index) => ({ ...pairAt(index, objects), predicates: [] }))];
}

/** Numbers ordered pairs of distinct objects from 0. */
const pairIndex = (subject: number, object: number, objects: number): number =>
  subject * (objects - 1) + object - (object > subject ? 1 : 0);

function pairAt(index: number, objects: number): Pick<TrainingPair, 'subject' | 'object'> {
  const subject = Math.floor(index / (objects - 1));
  const rest = index % (objects - 1);
  return { subject, object: rest + (rest >= subject ? 1 : 0) };
}
