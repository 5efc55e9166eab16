import { createHash } from 'node:crypto';
import type { ImageRecord } from '../records/image.js';
import { checkFraction } from '../records/option-checks.js';
import { FILTERED, type Operator, operator } from './operator.js';

export interface SampleOptions {
  /** Share of the images to keep, in [0, 1]. */
  readonly rate: number;
  /** Another seed keeps other images. Default 0. */
  readonly seed?: number;
}

/**
 * Keeps a share of the images. Which ones depends on the seed, the data set and the image id alone, so that the choice
 * is the same in any order, on any machine and in any part of the set; a larger rate keeps all that a smaller one does.
 *
 * @throws OptionError where the rate is out of range
 */
export function sample(options: SampleOptions): Operator<ImageRecord, object> {
  const { rate, seed = 0 } = options;
  checkFraction('sample', 'rate', rate);
  return operator<ImageRecord, object>({
    name: 'sample',
    version: '1',
    options: { rate, seed },
    needs: ['image'],
    adds: [],
    lane: 'any',
    apply: ({ image }) => {
      const hash = createHash('sha256').update(`${seed}\n${image.dataset}\n${image.id}`).digest();
      return hash.readUIntBE(0, 6) / 2 ** 48 < rate ? {} : FILTERED;
    },
  });
}
