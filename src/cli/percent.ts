import type { Share } from '../evaluation/index.js';

/** Writes a share with its interval, such as `90.0 (59.6–98.2)`. */
export function percent({ value, low, high }: Share): string {
  const text = (share: number | null) => (share === null ? '–' : (100 * share).toFixed(1));
  return value === null ? '–' : `${text(value)} (${text(low)}–${text(high)})`;
}
