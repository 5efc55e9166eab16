import { readFileSync } from 'node:fs';
import { type Evidence, evidenceFeatures, evidenceValues } from './evidence-features.js';

/** Weights of the features, by their names; a feature that no judged relation has has none. */
export type ConfidenceWeights = Readonly<Record<string, number>>;

/**
 * Reads the weights and returns the function of a relation's confidence: a logistic regression, in [0, 1] with four digits.
 * @throws Error when the file has a weight of an unknown feature
 */
export function calibratedConfidence(): (evidence: Evidence) => number {
  const { weights } = JSON.parse(readFileSync(new URL('confidence.json', import.meta.url), 'utf8')) as {
    weights: ConfidenceWeights;
  };
  const known = new Set(evidenceFeatures);
  for (const name of Object.keys(weights)) if (!known.has(name)) throw new Error(`confidence.json: no feature ${name}`);
  const list = Float64Array.from(evidenceFeatures, (name) => weights[name] ?? 0);
  const values: number[] = [];
  return (evidence) => {
    evidenceValues(evidence, values);
    let sum = 0;
    for (let k = 0; k < values.length; k += 2) sum += list[values[k]!]! * values[k + 1]!;
    return Math.round(1e4 / (1 + Math.exp(-sum))) / 1e4;
  };
}
