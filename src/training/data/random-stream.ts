import { Random } from '../../records/random.js';

/**
 * Random numbers that depend on their labels alone: seed, epoch, position… Nothing has a state that a checkpoint would
 * have to keep, and what one image draws does not depend on how many others were drawn before.
 */
export function randomStream(...labels: readonly number[]): Random {
  // FNV-1a over the labels' bytes.
  let hash = 0x811c9dc5;
  for (const label of labels)
    for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((label >>> shift) & 0xff), 0x01000193);
  const source = new Random(hash);
  // Near hashes begin alike for a number or two.
  source.next();
  return source;
}

/** What is drawn for the same image or batch has a stream of its own each. */
export const STREAMS = { shuffle: 1, view: 2, pairs: 3, noise: 4, texts: 5, dropout: 6, fewShot: 7, words: 8 } as const;

/** A whole number in [0, below). */
export const randomInteger = (random: Random, end: number): number => Math.floor(random.next() * end);

/** `count` of the items, each as likely, in random order: a Fisher–Yates shuffle that stops there. */
export function drawWithoutReplacement<T>(random: Random, items: readonly T[], count: number): T[] {
  const left = [...items];
  const taken = Math.min(count, left.length);
  for (let k = 0; k < taken; k++) {
    const other = k + randomInteger(random, left.length - k);
    [left[k], left[other]] = [left[other]!, left[k]!];
  }
  return left.slice(0, taken);
}
