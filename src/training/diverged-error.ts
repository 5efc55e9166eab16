import { writeFile } from 'node:fs/promises';
import { RelflowError } from '../errors.js';
import { wrapFileErrors } from '../files/wrap-io-errors.js';
import type { BatchSummary } from './accumulate-gradients.js';
import type { StepLoss } from './loss-gradients.js';

/**
 * Writes a report of a step whose loss or gradient is not finite.
 * @param file receives the report, JSON
 * @returns the error that names the step and its images
 */
export async function divergedError(
  file: string,
  step: number,
  batches: readonly BatchSummary[],
  { loss, parts }: StepLoss,
  gradientNorm: number,
): Promise<RelflowError> {
  const images = batches.flatMap((batch) => batch.images);
  const report = {
    step,
    epoch: batches[0]!.epoch,
    position: batches[0]!.position,
    // As strings, since JSON has neither NaN nor Infinity.
    loss: String(loss),
    gradientNorm: String(gradientNorm),
    parts: Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, String(value)])),
    images,
    labels: batches.map(({ labels }) => labels),
  };
  await wrapFileErrors(file, () => writeFile(file, `${JSON.stringify(report, null, 2)}\n`, { flush: true }));
  const what = Number.isFinite(loss) ? `the gradient norm is ${gradientNorm}` : `the loss is ${loss}`;
  return new RelflowError(
    'diverged',
    `training: step ${step}: ${what} at images ${images.map(({ id }) => id).join(', ')}; see ${file}`,
    { step, images: images.map(({ id }) => id) },
  );
}
