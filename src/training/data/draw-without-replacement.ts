import type { Random } from '../../records/random.js';
import { randomInteger } from './random-stream.js';

/** Draws `count` items uniformly and without replacement, in random order, by a partial Fisher–Yates shuffle. */
export function drawWithoutReplacement<T>(random: Random, items: readonly T[], count: number): T[] {
  const shuffled = [...items];
  const drawn = Math.min(count, shuffled.length);
  for (let k = 0; k < drawn; k++) {
    const other = k + randomInteger(random, shuffled.length - k);
    [shuffled[k], shuffled[other]] = [shuffled[other]!, shuffled[k]!];
  }
  return shuffled.slice(0, drawn);
}
