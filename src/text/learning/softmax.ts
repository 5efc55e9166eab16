/** One pair's part of a teacher's beliefs. */
export const part = (values: Float32Array | undefined, k: number, width: number): Float32Array | undefined =>
  values?.subarray(k * width, (k + 1) * width);

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

/** @param gradient set to that of the scores, half of it towards what the teacher believes where there is one */
export function softmaxLoss(
  scores: Float32Array,
  gold: number,
  gradient: Float32Array,
  teacher: Float32Array | undefined,
): number {
  softmax(scores, gradient);
  const loss = -Math.log(gradient[gold]! + 1e-30);
  gradient[gold]! -= teacher ? 0.5 : 1;
  if (teacher) for (let k = 0; k < scores.length; k++) gradient[k]! -= 0.5 * teacher[k]!;
  return loss;
}
