/** A judged example: its features and whether it is right. */
export interface LogisticExample {
  readonly features: readonly number[];
  readonly isRight: boolean;
}

const STEPS = 30;

/**
 * Fits a logistic regression by Newton's method, from weights of zero: the same examples give the same weights.
 * @param penalty factor of half the sum of squared weights, above 0
 * @returns one weight per feature
 */
export function fitLogistic(examples: readonly LogisticExample[], penalty: number): number[] {
  const width = examples[0]?.features.length ?? 0;
  const weights = new Array<number>(width).fill(0);
  for (let step = 0; step < STEPS; step++) {
    const gradient = weights.map((weight) => -penalty * weight);
    const curvature = weights.map((_, i) => weights.map((_, j) => (i === j ? penalty : 0)));
    for (const { features, isRight } of examples) {
      const p = probabilityOf(features, weights);
      for (let i = 0; i < width; i++) {
        if (features[i] === 0) continue;
        gradient[i]! += features[i]! * ((isRight ? 1 : 0) - p);
        for (let j = 0; j < width; j++) curvature[i]![j]! += p * (1 - p) * features[i]! * features[j]!;
      }
    }
    for (const [i, change] of solve(curvature, gradient).entries()) weights[i]! += change;
  }
  return weights;
}

/** Returns the probability of an example with these features. */
export const probabilityOf = (features: readonly number[], weights: readonly number[]): number =>
  1 / (1 + Math.exp(-features.reduce((sum, value, i) => sum + value * weights[i]!, 0)));

/** Solves a · x = b for a symmetric positive definite matrix, by elimination; overwrites both. */
function solve(a: number[][], b: number[]): number[] {
  for (let k = 0; k < b.length; k++)
    for (let i = k + 1; i < b.length; i++) {
      const factor = a[i]![k]! / a[k]![k]!;
      for (let j = k; j < b.length; j++) a[i]![j]! -= factor * a[k]![j]!;
      b[i]! -= factor * b[k]!;
    }
  for (let k = b.length - 1; k >= 0; k--) {
    for (let j = k + 1; j < b.length; j++) b[k]! -= a[k]![j]! * b[j]!;
    b[k]! /= a[k]![k]!;
  }
  return b;
}
