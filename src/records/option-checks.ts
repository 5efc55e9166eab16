import { OptionError } from '../errors.js';

/** @throws OptionError unless `value` is a whole number of at least 1 */
export function checkPositiveInteger(where: string, option: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new OptionError(where, `${option} ${value}, expected a whole number of at least 1`);
  }
}

/** @throws OptionError unless `value` lies in [0, 1] */
export function checkFraction(where: string, option: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new OptionError(where, `${option} ${value}, expected a number from 0 to 1`);
}

/** @throws OptionError unless `value` is a finite number of at least 0 */
export function checkNonNegative(where: string, option: string, value: number): void {
  if (!(Number.isFinite(value) && value >= 0)) {
    throw new OptionError(where, `${option} ${value}, expected a number of at least 0`);
  }
}
