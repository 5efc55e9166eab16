import { Random } from '../../records/random.js';

/**
 * Returns random numbers that depend on the keys alone, such as seed and epoch. There is no state to store in a
 * checkpoint, and the numbers of one image do not depend on how many other images were read before.
 */
export function randomStream(...keys: readonly number[]): Random {
  // FNV-1a over the bytes of the keys.
  let hash = 0x811c9dc5;
  for (const key of keys)
    for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((key >>> shift) & 0xff), 0x01000193);
  const random = new Random(hash);
  // The first number of similar seeds is similar.
  random.next();
  return random;
}

/** Keys of the streams: each kind of random choice has its own. */
export const STREAMS = {
  shuffle: 1,
  augmentation: 2,
  pairs: 3,
  noise: 4,
  labels: 5,
  dropout: 6,
  fewShot: 7,
  paraphrases: 8,
} as const;

/** Returns a random integer in [0, end). */
export const randomInteger = (random: Random, end: number): number => Math.floor(random.next() * end);
