import { readFileSync } from 'node:fs';

/** What network and rules say of a relation. */
export interface Evidence {
  /** The network's probability of its relation of the two phrases, in [0, 1]; 0 if it has none. */
  readonly network: number;
  /** Whether the rules have the same relation, one that does not contradict it, another one of the two phrases, or none. */
  readonly rules: 'same' | 'alike' | 'other' | 'none';
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
  /** The number of phrases between the two, of relations of the network alone. */
  readonly between: number;
  /** In the caption's words. */
  readonly predicate: string;
}

/** Names of the parts of the evidence that count. Each has a weight in confidence.json, which the training command fits. */
export const evidenceFeatures = [
  'agree',
  'agree, log-odds of the network',
  'alike',
  'differ',
  'rules alone',
  'rules alone, contested',
  'rules alone, with',
  'rules alone, new phrase',
  'rules alone, other words of a phrase',
  'network alone',
  'network alone, log-odds',
  'network alone, phrases between',
  'short caption',
  'paragraph',
] as const;

/** One number for each name. */
type NumberFor<Names extends readonly string[]> = { readonly [K in keyof Names]: number };

/** Returns the value of each feature. */
export function evidenceValues(evidence: Evidence): NumberFor<typeof evidenceFeatures> {
  const { network, rules, contest, isNewPhrase, isOtherPhrase, isPhrase, isParagraph, between, predicate } = evidence;
  const isRead = network > 0;
  const agrees = isRead && rules === 'same';
  const isAlike = isRead && rules === 'alike';
  const differs = isRead && rules === 'other';
  const isAlone = network === 0;
  const isNetworkAlone = rules === 'none';
  return [
    agrees ? 1 : 0,
    agrees ? logOdds(network) : 0,
    isAlike ? 1 : 0,
    differs ? 1 : 0,
    isAlone ? 1 : 0,
    isAlone ? contest : 0,
    isAlone && predicate === 'with' ? 1 : 0,
    isAlone && isNewPhrase ? 1 : 0,
    isAlone && isOtherPhrase ? 1 : 0,
    isNetworkAlone ? 1 : 0,
    isNetworkAlone ? logOdds(network) : 0,
    isNetworkAlone ? Math.min(MOST_BETWEEN, between) : 0,
    isPhrase ? 1 : 0,
    isParagraph ? 1 : 0,
  ];
}

/** More phrases between two make no difference. */
const MOST_BETWEEN = 2;

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
    const values = evidenceValues(evidence);
    let sum = 0;
    for (let k = 0; k < list.length; k++) sum += list[k]! * values[k]!;
    return Math.round(1e4 / (1 + Math.exp(-sum))) / 1e4;
  };
}
