import type { Random } from '../../records/random.js';
import { drawWithoutReplacement, randomInteger } from './random-stream.js';
import type { TrainingPair } from './training-sample.js';

/** From so many times the budget on, a random pair is most likely a free one. */
const ROOMY = 4;

/**
 * The pairs of an image that a tagger learns from: those with relations first, then true negatives, at most `budget`.
 *
 * Every ordered pair of distinct objects that no relation is between is a true negative. Time and memory grow with
 * `budget` and the number of relations, not with the number of pairs.
 *
 * @param objects how many there are
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
  const universe = objects * (objects - 1);
  const wanted = Math.min(budget, universe) - positives.length;
  const taken = new Set(positives.map(({ subject, object }) => rankOf(subject, object, objects)));
  const negatives: number[] = [];
  if (universe <= ROOMY * budget) {
    const free = Array.from({ length: universe }, (_, rank) => rank).filter((rank) => !taken.has(rank));
    negatives.push(...drawWithoutReplacement(random, free, wanted));
  } else
    while (negatives.length < wanted) {
      const rank = randomInteger(random, universe);
      if (taken.has(rank)) continue;
      taken.add(rank);
      negatives.push(rank);
    }
  return [...positives, ...negatives.map((rank) => ({ ...pairOf(rank, objects), predicates: [] }))];
}

/** Ordered pairs of distinct objects, counted from 0. */
const rankOf = (subject: number, object: number, objects: number): number =>
  subject * (objects - 1) + object - (object > subject ? 1 : 0);

function pairOf(rank: number, objects: number): { subject: number; object: number } {
  const subject = Math.floor(rank / (objects - 1));
  const rest = rank % (objects - 1);
  return { subject, object: rest + (rest >= subject ? 1 : 0) };
}
