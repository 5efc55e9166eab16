import { addToList } from '../../records/add-to-list.js';
import { Random } from '../../records/random.js';
import type { Interval } from './benchmark-report.js';

/**
 * Returns 95 % percentile intervals of metrics by drawing as many images with replacement as there are.
 *
 * Source: Efron, 1979. The same images and resamples give the same intervals.
 *
 * @param images number of images
 * @param metricsOf returns the metrics when image k counts `weights[k]` times
 */
export function bootstrapMetrics(
  images: number,
  resamples: number,
  metricsOf: (weights: Uint16Array) => Readonly<Record<string, number | null>>,
): Record<string, Interval> {
  const random = new Random(images);
  const values = new Map<string, number[]>();
  const weights = new Uint16Array(images);
  for (let resample = 0; resample < resamples; resample++) {
    weights.fill(0);
    for (let k = 0; k < images; k++) weights[Math.floor(random.next() * images)]!++;
    for (const [name, value] of Object.entries(metricsOf(weights)))
      if (value !== null) {
        addToList(values, name, value);
      }
  }
  return Object.fromEntries(
    [...values].map(([name, list]) => {
      list.sort((a, b) => a - b);
      const at = (share: number) => list[Math.min(list.length - 1, Math.floor(share * list.length))]!;
      return [name, { low: at(0.025), high: at(0.975) }];
    }),
  );
}
