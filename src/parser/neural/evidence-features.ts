import { memoize } from '../language/memoize.js';
import type { NounClass } from '../language/noun-classes.js';
import type { Reading } from '../rules/phrase-graph.js';
import type { SubjectSupport } from '../subjects/subject-scorer.js';

/** What network and rules say of a relation. */
export interface Evidence {
  /** The network's probability of its relation of the two phrases, in [0, 1]; 0 if it has none. */
  readonly network: number;
  /** Whether the rules have the same relation, one that does not contradict it, another one of the two phrases, or none. */
  readonly rules: 'same' | 'alike' | 'other' | 'none';
  /** How the rules read it; undefined if they do not. */
  readonly reading: Reading | undefined;
  /** What their sentence says of its subject; undefined if the rules do not have both phrases. */
  readonly support: SubjectSupport | undefined;
  /** The network's highest probability of another relation of the later phrase, in [0, 1]; 0 if it has none. */
  readonly contest: number;
  /** Whether only the rules see one of the phrases. */
  readonly isNewPhrase: boolean;
  /** Whether such a phrase has other words than one of the network. */
  readonly isOtherPhrase: boolean;
  /** Whether one of the phrases, or the predicate, is seldom about something that one sees: `atmosphere`, `evoking`. */
  readonly isAbstract: boolean;
  /** Whether the caption is as short as those that the network learned from. */
  readonly isPhrase: boolean;
  /** Whether the caption is a description of several sentences. */
  readonly isParagraph: boolean;
  /** The number of phrases between the two, of relations of the network alone. */
  readonly between: number;
  /** In the caption's words. */
  readonly predicate: string;
}

/** Kinds of predicates, by their last word. */
const kinds = ['object', 'path', 'place', 'side', 'with', 'of', 'from', 'for', 'else'] as const;
type Kind = number;

const kindsOfWords: ReadonlyMap<string, (typeof kinds)[number]> = new Map(
  (
    [
      ['path', 'into onto to toward towards through along across down up over past around out off'],
      ['place', 'in on at inside under underneath beneath atop against within'],
      [
        'side',
        `near beside behind by between above below
        alongside before among next front left right`,
      ],
      ['with', 'with'],
      ['of', "of 's"],
      ['from', 'from'],
      ['for', 'for'],
    ] as const
  ).flatMap(([kind, words]) => words.split(' ').map((word) => [word, kind] as const)),
);

/** Returns the kind of a predicate: `side` for "standing next to" and "in front of". */
const kindOf = memoize(20_000, (predicate: string): Kind => {
  const words = predicate.split(' ');
  let last = words.at(-1)!;
  if ((last === 'of' || last === 'to') && /^(?:front|left|right|next|close|out|off)$/.test(words.at(-2) ?? ''))
    last = words.at(-2)!;
  const kind = kindsOfWords.get(last) ?? (/(?:ing|ed|s|n)$/.test(last) ? 'object' : 'else');
  return kinds.indexOf(kind);
});

const choices = ['only', 'preferred', 'higher', 'nearer'] as const;
const origins = ['subject', ...kinds] as const;
const classes = ['alive', 'vehicle', 'tool', 'worn', 'place', 'event', 'thing'] as const;
const verbs = ['none', 'own', 'around'] as const;

const classNumbers: Readonly<Record<NounClass, number>> = {
  person: 0,
  animal: 0,
  vehicle: 1,
  tool: 2,
  board: 2,
  garment: 3,
  bodyPart: 3,
  place: 4,
  event: 5,
  time: 5,
  thing: 6,
};

/** Names of the features, in the order of their numbers. */
const names: string[] = [];

function feature(name: string): number {
  names.push(name);
  return names.length - 1;
}

/** Adds a feature for each pair of a row and a column; returns the number of the first. */
function grid(name: string, rows: readonly string[], columns: readonly string[]): number {
  const first = names.length;
  for (const row of rows) for (const column of columns) names.push(`${name}: ${row}, ${column}`);
  return first;
}

const agree = feature('agree');
const agreeOdds = feature('agree, log-odds of the network');
const alike = feature('alike');
const differ = feature('differ');
const rulesAlone = feature('rules alone');
const contested = feature('rules alone, contested');
const newPhrase = feature('rules alone, new phrase');
const otherPhrase = feature('rules alone, other words of a phrase');
const abstract = feature('abstract');
const another = feature('another subject');
const anotherRead = feature('another subject, of the network');
const anotherOdds = feature('another subject, log-odds of the network');
const anotherContested = feature('another subject, contested');
const networkAlone = feature('network alone');
const networkOdds = feature('network alone, log-odds');
const networkBetween = feature('network alone, phrases between');
const networkShort = feature('network alone, short caption');
const networkShortOdds = feature('network alone, short caption, log-odds');
const short = feature('short caption');
const paragraph = feature('paragraph');
const byNetwork = grid('choice', choices, ['network', 'rules']);
const byKind = grid('choice and predicate', choices, kinds);
const bySubject = grid('choice and subject', choices, classes);
const byOrigin = grid('choice and origin', choices, origins);
const byVerb = grid('choice and verb', choices, verbs);

const byOwner = grid('choice and owner', choices, ['subject', 'other']);
const supports = ['unknown', 'log-odds', 'log-odds to another', 'none', 'pronoun'] as const;
const bySupport = grid('choice and support', [...choices, 'network'], supports);

/** Names of the parts of the evidence that count. Each has a weight in confidence.json, which the training command fits. */
export const evidenceFeatures: readonly string[] = names;

/** More phrases between two make no difference. */
const MOST_BETWEEN = 2;

/**
 * Returns the numbers of the features that a relation has, each followed by its value.
 * @param found is overwritten and returned
 */
export function evidenceValues(evidence: Evidence, found: number[] = []): number[] {
  const { network, rules, reading, support, contest, predicate } = evidence;
  const isRead = network > 0;
  found.length = 0;
  if (evidence.isPhrase) found.push(short, 1);
  if (evidence.isParagraph) found.push(paragraph, 1);
  if (evidence.isAbstract) found.push(abstract, 1);
  // The rules do not read the shortest captions.
  if (reading || support || !evidence.isPhrase) addSupport(evidence, found);
  if (!reading && evidence.isPhrase) {
    found.push(networkShort, 1, networkShortOdds, logOdds(network));
    return found;
  }
  if (!reading) {
    found.push(
      networkAlone,
      1,
      networkOdds,
      logOdds(network),
      networkBetween,
      Math.min(MOST_BETWEEN, evidence.between),
    );
    return found;
  }
  const choice = choices.indexOf(reading.choice);
  if (choice > 1) {
    found.push(another, 1, anotherContested, contest);
    if (isRead) found.push(anotherRead, 1, anotherOdds, logOdds(network));
  } else if (isRead) {
    found.push(rules === 'same' ? agree : rules === 'alike' ? alike : differ, 1);
    if (rules === 'same') found.push(agreeOdds, logOdds(network));
  } else {
    found.push(rulesAlone, 1, contested, contest);
    if (evidence.isNewPhrase) found.push(newPhrase, 1);
    if (evidence.isOtherPhrase) found.push(otherPhrase, 1);
  }
  if (support?.isOwner !== undefined) found.push(byOwner + choice * 2 + (support.isOwner ? 0 : 1), 1);
  const kind = kindOf(predicate);
  const origin = reading.origin === undefined ? 0 : reading.origin === '' ? 1 : 1 + kindOf(reading.origin);
  found.push(
    byNetwork + choice * 2 + (isRead ? 0 : 1),
    1,
    byKind + choice * kinds.length + kind,
    1,
    bySubject + choice * classes.length + classNumbers[reading.subject],
    1,
    byOrigin + choice * origins.length + origin,
    1,
    byVerb + choice * verbs.length + verbs.indexOf(reading.verb),
    1,
  );
  return found;
}

/** Adds how probable the subject is, compared with other phrases of its sentence. */
function addSupport({ support, reading }: Evidence, found: number[]): void {
  const first = bySupport + (reading ? choices.indexOf(reading.choice) : choices.length) * supports.length;
  if (!support) {
    found.push(first, 1);
    return;
  }
  const { own, shared, rival, none, pronoun } = support;
  found.push(first + 1, oddsOf(own, 1 - own), first + 2, oddsOf(shared, rival), first + 3, none, first + 4, pronoun);
}

const oddsOf = (one: number, other: number) => Math.log((one + LEAST_SUPPORT) / (other + LEAST_SUPPORT));
/** Smaller probabilities make no difference. */
const LEAST_SUPPORT = 0.02;

/** The network is hardly ever surer, nor less sure of what it returns. */
const [LEAST, MOST] = [0.05, 0.99];

function logOdds(probability: number): number {
  const p = Math.min(MOST, Math.max(LEAST, probability));
  return Math.log(p / (1 - p));
}
