import type { ImageRecord } from '../records/image.js';
import { imageLot } from '../records/image-lot.js';
import { checkFraction } from '../records/option-checks.js';
import { FILTERED, type Operator, operator } from './operator.js';

/** Options of `sample`. */
export interface SampleOptions {
  /** Share of the images to keep, in [0, 1]. */
  readonly rate: number;
  /** Seed of the choice; another seed keeps other images. Default 0. */
  readonly seed?: number;
}

/**
 * Keeps a share of the images. The choice depends only on the seed, the data set and the image id, so it is the same in any
 * order, on any machine and in any part of the set. A larger rate keeps all images that a smaller rate keeps.
 *
 * @throws OptionError when the rate is out of range
 *
 * @example
 * ```ts
 * import { coco, Graph, sample } from 'relflow';
 *
 * new Graph('tenth').from(coco({ annotations: 'instances.json' })).pipe(sample({ rate: 0.1, seed: 1 }));
 * ```
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
    apply: ({ image }) => (imageLot(seed, image) < rate ? {} : FILTERED),
  });
}
