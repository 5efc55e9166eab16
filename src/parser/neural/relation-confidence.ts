import { readFileSync } from 'node:fs';

/** What network and rules say of a relation. */
export interface Evidence {
  /** The network's probability of its relation of the two phrases, in [0, 1]; 0 if it has none. */
  readonly network: number;
  /** Whether the rules have the same relation, another one of the two phrases, or none. */
  readonly rules: 'same' | 'other' | 'none';
  /** The network's highest probability of another relation of the later phrase, in [0, 1]; 0 if it has none. */
  readonly contest: number;
  /** Whether only the rules see one of the phrases. */
  readonly isNewPhrase: boolean;
  /** Whether such a phrase has other words than one of the network. */
  readonly isOtherPhrase: boolean;
  /** Whether the caption is as short as those that the network learned from. */
  readonly isPhrase: boolean;
  /** Whether the caption is a description of several sentences. */
  readonly isParagraph: boolean;
  /** In the caption's words. */
  readonly predicate: string;
}

/** The parts of the evidence that count. Each has a weight in confidence.json, which the training command fits. */
const features: Readonly<Record<string, (evidence: Evidence) => number>> = {
  agree: ({ network, rules }) => (network > 0 && rules === 'same' ? 1 : 0),
  'agree, log-odds of the network': ({ network, rules }) => (network > 0 && rules === 'same' ? logOdds(network) : 0),
  differ: ({ network, rules }) => (network > 0 && rules === 'other' ? 1 : 0),
  'rules alone': ({ network }) => (network === 0 ? 1 : 0),
  'rules alone, contested': ({ network, contest }) => (network === 0 ? contest : 0),
  'rules alone, with': ({ network, predicate }) => (network === 0 && predicate === 'with' ? 1 : 0),
  'rules alone, new phrase': ({ network, isNewPhrase }) => (network === 0 && isNewPhrase ? 1 : 0),
  'rules alone, other words of a phrase': ({ network, isOtherPhrase }) => (network === 0 && isOtherPhrase ? 1 : 0),
  'network alone': ({ rules }) => (rules === 'none' ? 1 : 0),
  'network alone, log-odds': ({ rules, network }) => (rules === 'none' ? logOdds(network) : 0),
  'short caption': ({ isPhrase }) => (isPhrase ? 1 : 0),
  paragraph: ({ isParagraph }) => (isParagraph ? 1 : 0),
};

/** Names of the features, in order. */
export const evidenceFeatures: readonly string[] = Object.keys(features);

const functions = Object.values(features);

/** Returns the value of each feature. */
export const evidenceValues = (evidence: Evidence): number[] => functions.map((feature) => feature(evidence));

/** The network is hardly ever surer, nor less sure of what it returns. */
const [LEAST, MOST] = [0.05, 0.99];

function logOdds(probability: number): number {
  const p = Math.min(MOST, Math.max(LEAST, probability));
  return Math.log(p / (1 - p));
}

/** Weights of the features, by their names. */
export type ConfidenceWeights = Readonly<Record<string, number>>;

/**
 * Reads the weights and returns the function of a relation's confidence: a logistic regression, in [0, 1] with four digits.
 * @throws Error when the file lacks a feature
 */
export function calibratedConfidence(): (evidence: Evidence) => number {
  const { weights } = JSON.parse(readFileSync(new URL('confidence.json', import.meta.url), 'utf8')) as {
    weights: ConfidenceWeights;
  };
  const list = evidenceFeatures.map((name) => weights[name] ?? Number.NaN);
  if (list.some(Number.isNaN)) throw new Error('confidence.json: a feature has no weight');
  return (evidence) => {
    let sum = 0;
    for (let k = 0; k < list.length; k++) sum += list[k]! * functions[k]!(evidence);
    return Math.round(1e4 / (1 + Math.exp(-sum))) / 1e4;
  };
}
