import { type Dropout, noDropout, seededDropout } from '../model/layers/dropout.js';
import { randomStream, STREAMS } from './data/random-stream.js';
import type { TrainingSettings } from './settings/training-settings.js';

/**
 * Returns the dropout of one pass. Its masks depend on seed, step and batch alone, so that a pass can be repeated.
 * @param step counted from 0
 * @param part which batch of the step, counted from 0
 */
export function stepDropout(settings: TrainingSettings, step: number, part: number): Dropout {
  return hasDropout(settings) ? seededDropout(dropoutSeed(settings, step, part)) : noDropout;
}

/** Returns whether passes have dropout. */
export const hasDropout = ({ model }: TrainingSettings): boolean => model.dropout > 0 || model.textDropout;

/** Returns the seed of a pass, from 0 to 2³¹ − 1; see `stepDropout`. */
export const dropoutSeed = ({ seed }: TrainingSettings, step: number, part: number): number =>
  Math.floor(randomStream(seed, STREAMS.dropout, step, part).next() * 2 ** 31);
