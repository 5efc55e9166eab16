/**
 * Returns the average precision, Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores in descending order.
 * @returns a number in [0, 1], or null when no candidate holds
 *
 * @example
 * ```ts
 * import { averagePrecision } from 'relflow/evaluation';
 *
 * averagePrecision([{ score: 0.9, holds: true }, { score: 0.4, holds: false }]); // 1
 * ```
 */
export function averagePrecision(candidates: readonly { score: number; holds: boolean }[]): number | null {
  const positives = candidates.filter(({ holds }) => holds).length;
  if (positives === 0) return null;
  const ranked = [...candidates].sort((a, b) => b.score - a.score);
  let [found, before, sum] = [0, 0, 0];
  for (const [k, { score, holds }] of ranked.entries()) {
    if (holds) found++;
    if (ranked[k + 1]?.score === score) continue;
    sum += ((found - before) / positives) * (found / (k + 1));
    before = found;
  }
  return sum;
}
