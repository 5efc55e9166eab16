import { OptionError } from '../errors.js';

/**
 * Checks an option that must be a whole number of at least 1.
 * @throws OptionError if it is not
 */
export function checkPositiveInteger(where: string, option: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new OptionError(where, `${option} ${value}, expected a whole number of at least 1`);
  }
}

/**
 * Checks an option that must be a number in [0, 1].
 * @throws OptionError if it is not
 */
export function checkFraction(where: string, option: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new OptionError(where, `${option} ${value}, expected a number from 0 to 1`);
}

/**
 * Checks an option that must be a finite number of at least 0.
 * @throws OptionError if it is not
 */
export function checkNonNegative(where: string, option: string, value: number): void {
  if (!(Number.isFinite(value) && value >= 0)) {
    throw new OptionError(where, `${option} ${value}, expected a number of at least 0`);
  }
}
