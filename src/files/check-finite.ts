import { RelflowError } from '../errors.js';

/**
 * Checks that an array of weights holds numbers only.
 * @param file the file that they come from or go to
 * @param name of the array
 * @throws RelflowError (`bad-weights`) naming the first value that is NaN or infinite
 */
export function checkFinite(file: string, name: string, values: Float32Array): void {
  // A sum is finite only if all of its terms are; it takes a fraction of the time of a test of each.
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k]! * 0;
  if (sum === 0) return;
  const at = values.findIndex((value) => !Number.isFinite(value));
  const count = values.reduce((total, value) => total + (Number.isFinite(value) ? 0 : 1), 0);
  throw new RelflowError(
    'bad-weights',
    `${file}: ${name} has ${count} of ${values.length} values that are not finite, the first is ${values[at]} at index ${at}; expected numbers`,
    { file, array: name, count },
  );
}
