import type { SoftTarget } from './soft-targets.js';

/** Returns the k-th row of a matrix. */
export const rowOf = (values: Float32Array, k: number, width: number): Float32Array =>
  values.subarray(k * width, (k + 1) * width);

/** Computes a softmax. @param probabilities set to the result; may be `scores` */
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

/**
 * Returns the cross-entropy of the gold choice.
 * @param gradient set to the gradient of the scores, towards a mix of the gold choice and the teacher's probabilities
 */
export function softmaxLoss(
  scores: Float32Array,
  gold: number,
  gradient: Float32Array,
  teacher: SoftTarget | undefined,
): number {
  softmax(scores, gradient);
  const loss = -Math.log(gradient[gold]! + 1e-30);
  const weight = teacher?.weight ?? 0;
  gradient[gold]! -= 1 - weight;
  if (teacher) for (let k = 0; k < scores.length; k++) gradient[k]! -= weight * teacher.probabilities[k]!;
  return loss;
}
