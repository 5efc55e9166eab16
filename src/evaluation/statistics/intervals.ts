import { Random } from '../../records/random.js';

/** A share with its 95 % confidence interval, all in [0, 1]; null where nothing was counted. */
export interface Share {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** The counts that the share is made of. */
  readonly count: number;
  readonly of: number;
}

/** The 97.5th percentile of the normal distribution. */
const Z = 1.959963984540054;
const RESAMPLES = 1000;

const NOTHING = { value: null, low: null, high: null };

/**
 * Returns a share of independent events with Wilson's interval, which holds for small counts as well.
 *
 * Source: Wilson, 1927.
 *
 * @example
 * ```ts
 * import { wilsonShare } from 'relflow/evaluation';
 *
 * const { value, low, high } = wilsonShare(9, 10); // 0.9, 0.596, 0.982
 * ```
 */
export function wilsonShare(count: number, of: number): Share {
  if (of === 0) return { ...NOTHING, count, of };
  const p = count / of;
  const scale = 1 + Z ** 2 / of;
  const center = (p + Z ** 2 / (2 * of)) / scale;
  const reach = (Z / scale) * Math.sqrt((p * (1 - p)) / of + (Z / (2 * of)) ** 2);
  return { value: p, low: Math.max(0, center - reach), high: Math.min(1, center + reach), count, of };
}

/** The counts of one caption, image or other unit that is drawn as a whole. */
export interface UnitCounts {
  readonly count: number;
  readonly of: number;
}

/**
 * Returns a share with a percentile bootstrap over units, since the events within a caption depend on each other. The same
 * units give the same interval. Wilson's interval takes its place where all resamples agree, as for a single unit: they say
 * nothing about other units.
 *
 * Source: Efron, 1979; 1000 resamples.
 */
export function bootstrapShare(units: readonly UnitCounts[]): Share {
  const count = units.reduce((sum, unit) => sum + unit.count, 0);
  const of = units.reduce((sum, unit) => sum + unit.of, 0);
  if (of === 0) return { ...NOTHING, count, of };
  const random = new Random(units.length);
  const values: number[] = [];
  for (let resample = 0; resample < RESAMPLES; resample++) {
    const sum = { count: 0, of: 0 };
    for (let k = 0; k < units.length; k++) {
      const unit = units[Math.floor(random.next() * units.length)]!;
      sum.count += unit.count;
      sum.of += unit.of;
    }
    if (sum.of > 0) values.push(sum.count / sum.of);
  }
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? null;
  const [low, high] = [at(0.025), at(0.975)];
  return low === high ? wilsonShare(count, of) : { value: count / of, low, high, count, of };
}
