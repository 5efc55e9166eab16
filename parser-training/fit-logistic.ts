/** A judged example: its features, each number followed by its value, and whether it is right. */
export interface LogisticExample {
  readonly features: readonly number[];
  readonly isRight: boolean;
}

/** Newton's method converges in fewer steps. */
const STEPS = 30;
const PRECISION = 1e-7;

/**
 * Fits a logistic regression by Newton's method, from weights of zero: the same examples give the same weights.
 * @param width number of features
 * @param penalty factor of half the sum of squared weights, above 0
 * @returns one weight per feature
 */
export function fitLogistic(examples: readonly LogisticExample[], width: number, penalty: number): number[] {
  const weights = new Array<number>(width).fill(0);
  for (let step = 0; step < STEPS; step++) {
    const gradient = weights.map((weight) => -penalty * weight);
    const curvature = weights.map((_, i) => weights.map((_, j) => (i === j ? penalty : 0)));
    for (const { features, isRight } of examples) {
      const p = probabilityOf(features, weights);
      for (let i = 0; i < features.length; i += 2) {
        const [row, value] = [features[i]!, features[i + 1]!];
        gradient[row]! += value * ((isRight ? 1 : 0) - p);
        for (let j = 0; j < features.length; j += 2)
          curvature[row]![features[j]!]! += p * (1 - p) * value * features[j + 1]!;
      }
    }
    const changes = solve(curvature, gradient);
    for (const [i, change] of changes.entries()) weights[i]! += change;
    if (changes.every((change) => Math.abs(change) < PRECISION)) break;
  }
  return weights;
}

/** Returns the probability of an example with these features. */
export function probabilityOf(features: readonly number[], weights: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < features.length; i += 2) sum += features[i + 1]! * weights[features[i]!]!;
  return 1 / (1 + Math.exp(-sum));
}

/** Solves a · x = b for a symmetric positive definite matrix, by elimination; overwrites both. */
function solve(a: number[][], b: number[]): number[] {
  for (let k = 0; k < b.length; k++)
    for (let i = k + 1; i < b.length; i++) {
      if (a[i]![k] === 0) continue;
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
