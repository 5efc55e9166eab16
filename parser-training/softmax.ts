import type { SoftTarget } from './soft-targets.js';

/** One of several rows. */
export const rowOf = (values: Float32Array, k: number, width: number): Float32Array =>
  values.subarray(k * width, (k + 1) * width);

/** @param probabilities set to the softmax of the scores; they may be the same array */
export function softmax(scores: Float32Array, probabilities: Float32Array): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (const score of scores) if (score > largest) largest = score;
  let sum = 0;
  for (let k = 0; k < scores.length; k++) {
    probabilities[k] = Math.exp(scores[k]! - largest);
    sum += probabilities[k]!;
  }
  for (let k = 0; k < scores.length; k++) probabilities[k]! /= sum;
}

/** @param gradient set to that of the scores, partly towards what the teacher believes where there is one */
export function softmaxLoss(
  scores: Float32Array,
  gold: number,
  gradient: Float32Array,
  teacher: SoftTarget | undefined,
): number {
  softmax(scores, gradient);
  const loss = -Math.log(gradient[gold]! + 1e-30);
  const trust = teacher?.weight ?? 0;
  gradient[gold]! -= 1 - trust;
  if (teacher) for (let k = 0; k < scores.length; k++) gradient[k]! -= trust * teacher.probabilities[k]!;
  return loss;
}
