import { createHash } from 'node:crypto';
import type { Image } from './image.js';

/**
 * Returns a number in [0, 1) that is drawn for an image. It depends only on the seed, the data set and the image id, so it is
 * the same in any order, on any machine and in any part of the set.
 */
export function imageLot(seed: number, { dataset, id }: Pick<Image, 'dataset' | 'id'>): number {
  const hash = createHash('sha256').update(`${seed}\n${dataset}\n${id}`).digest();
  return hash.readUIntBE(0, 6) / 2 ** 48;
}
