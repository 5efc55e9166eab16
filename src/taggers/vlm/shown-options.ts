import { OptionError } from '../../errors.js';
import type { Shown } from './regions.js';

/** Options of how regions are shown to a model. */
export interface ShownOptions {
  /**
   * How the numbers of boxes are written: in `thousandths` of the image's width and height (default), as Qwen3-VL, Gemini and
   * InternVL learned them, or in `pixels` of the image as sent, as Qwen2.5-VL did.
   */
  readonly coordinates?: Shown['coordinates'];
  /** How regions are shown: `listed` with their boxes (default), or `drawn` on the image as boxes with their names. */
  readonly marks?: Shown['marks'];
}

/**
 * Checks the options and fills in the defaults.
 * @throws OptionError if an option has another value
 */
export function checkShown(where: string, { coordinates = 'thousandths', marks = 'listed' }: ShownOptions): Shown {
  checkChoice(where, 'coordinates', coordinates, ['thousandths', 'pixels']);
  checkChoice(where, 'marks', marks, ['listed', 'drawn']);
  return { coordinates, marks };
}

/** @throws OptionError if an option has none of its values */
export function checkChoice(where: string, option: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw new OptionError(where, `${option} '${value}', expected one of ${known.join(', ')}`);
}
