import { writeFile } from 'node:fs/promises';
import { RelflowError } from '../errors.js';
import { wrapFileErrors } from '../files/wrap-io-errors.js';
import type { BatchSummary } from './accumulate-gradients.js';
import type { StepLoss } from './loss-gradients.js';

/** What stopped being finite, and where. */
export interface Divergence {
  readonly step: number;
  /** What is not finite: `the loss is NaN`, `the gradient norm is Infinity`… */
  readonly problem: string;
  /** The batches that it was computed from: the one whose loss is not finite, or all of the step. */
  readonly batches: readonly BatchSummary[];
  /** Of these batches; omitted if it is not known. */
  readonly loss?: StepLoss | undefined;
  readonly gradientNorm?: number;
  /** True if the batches are of the validation data. */
  readonly isValidation?: boolean;
}

/**
 * Writes a report of a training that diverged.
 * @param file receives the report, JSON
 * @returns the error that names the step and its images
 */
export async function divergedError(
  file: string,
  { step, problem, batches, loss, gradientNorm, isValidation = false }: Divergence,
): Promise<RelflowError> {
  const images = batches.flatMap((batch) => batch.images);
  const report = {
    step,
    problem,
    data: isValidation ? 'validation' : 'training',
    epoch: batches[0]?.epoch,
    position: batches[0]?.position,
    // As strings, since JSON has neither NaN nor Infinity.
    ...(loss && {
      loss: String(loss.loss),
      parts: Object.fromEntries(Object.entries(loss.parts).map(([name, value]) => [name, String(value)])),
    }),
    ...(gradientNorm !== undefined && { gradientNorm: String(gradientNorm) }),
    images,
    labels: batches.map(({ labels }) => labels),
  };
  await wrapFileErrors(file, () => writeFile(file, `${JSON.stringify(report, null, 2)}\n`, { flush: true }));
  const ids = images.map(({ id }) => id);
  const at = ids.length > 0 ? ` at ${isValidation ? 'validation ' : ''}images ${ids.join(', ')}` : '';
  return new RelflowError('diverged', `training: step ${step}: ${problem}${at}; see ${file}`, { step, images: ids });
}
