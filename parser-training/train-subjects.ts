import { clauseParts } from '../src/parser/rules/clause-parts.js';
import { wordClasses } from '../src/parser/rules/word-classes.js';
import { NO_SUBJECT, numberedParts, SubjectCandidates } from '../src/parser/subjects/subject-features.js';
import { WEIGHT_BITS, WEIGHT_SCALE } from '../src/parser/subjects/subject-scorer.js';
import { Random } from '../src/records/random.js';
import { byteWeights } from './byte-weights.js';
import type { WordSyntax } from './label-syntax.js';
import { syntacticSubjects } from './syntactic-subjects.js';

/** An object with the candidates for the subject of its predicate: the features of each, and which of them are its subjects. */
export interface SubjectExample {
  readonly features: readonly Int32Array[];
  readonly isSubject: readonly boolean[];
}

export interface SubjectOptions {
  readonly epochs: number;
  readonly learningRate: number;
  readonly seed: number;
}

export const defaultSubjectOptions: SubjectOptions = { epochs: 3, learningRate: 0.1, seed: 1 };

/**
 * Returns the objects of a sentence as the rules read it, with the subjects that the teacher's dependencies give them. An object whose
 * subjects the rules do not take for phrases is left out.
 */
export function subjectExamples(words: readonly string[], syntax: readonly WordSyntax[]): SubjectExample[] {
  const tokens: { text: string; start: number; end: number }[] = [];
  const wordAt = new Map<number, number>();
  for (const text of words) {
    const start = (tokens.at(-1)?.end ?? -1) + 1;
    wordAt.set(start + text.length, tokens.length);
    tokens.push({ text, start, end: start + text.length });
  }
  const parts = clauseParts({ caption: words.join(' '), tokens, tags: wordClasses(words) });
  const wordOf = parts.map((part) =>
    part.kind === 'phrase'
      ? wordAt.get(part.phrase.entity.end)
      : part.kind === 'pronoun'
        ? wordAt.get(part.end)
        : undefined,
  );
  const partOf = new Map(wordOf.flatMap((word, part) => (word === undefined ? [] : [[word, part] as const])));
  const numbered = numberedParts(parts);
  const examples: SubjectExample[] = [];
  for (const [object, part] of parts.entries()) {
    if ((part.kind !== 'phrase' && part.kind !== 'pronoun') || object === 0) continue;
    const found = syntacticSubjects(syntax, wordOf[object]!, (word) => partOf.has(word));
    const subjects = found.flatMap((word) => partOf.get(word) ?? []).filter((subject) => subject !== object);
    if (subjects.length === 0 && found.length > 0) continue;
    candidates.find(numbered, object);
    const isSubject = Array.from(candidates.parts.subarray(0, candidates.count), (candidate) =>
      subjects.length === 0 ? candidate === NO_SUBJECT : subjects.includes(candidate),
    );
    if (candidates.count > 1 && isSubject.includes(true))
      examples.push({ features: isSubject.map((_, k) => candidates.featuresOf(k).slice()), isSubject });
  }
  return examples;
}

const candidates = new SubjectCandidates(WEIGHT_BITS);

/**
 * Fits a log-linear model of the candidates by gradient descent with a rate of its own for each weight (AdaGrad). The same examples give
 * the same weights.
 * @returns a byte for each weight, in units of 1 / WEIGHT_SCALE
 */
export function trainSubjects(
  examples: readonly SubjectExample[],
  { epochs, learningRate, seed }: SubjectOptions = defaultSubjectOptions,
): Int8Array {
  const weights = new Float64Array(2 ** WEIGHT_BITS);
  const squares = new Float64Array(weights.length).fill(1);
  const order = [...examples];
  const random = new Random(seed);
  for (let epoch = 0; epoch < epochs; epoch++) {
    random.shuffle(order);
    for (const { features, isSubject } of order) {
      const probabilities = softmaxOf(features, weights);
      let right = 0;
      for (const [k, one] of isSubject.entries()) if (one) right += probabilities[k]!;
      for (const [k, indices] of features.entries()) {
        const gradient = probabilities[k]! - (isSubject[k] ? probabilities[k]! / right : 0);
        for (const index of indices) {
          squares[index]! += gradient * gradient;
          weights[index]! -= (learningRate * gradient) / Math.sqrt(squares[index]!);
        }
      }
    }
  }
  return byteWeights(weights, WEIGHT_SCALE);
}

/** Returns the share of objects whose most probable candidate is a subject of theirs. */
export function subjectAccuracy(examples: readonly SubjectExample[], weights: Int8Array): number {
  let right = 0;
  for (const { features, isSubject } of examples) {
    const probabilities = softmaxOf(features, weights, WEIGHT_SCALE);
    if (isSubject[probabilities.indexOf(Math.max(...probabilities))]) right++;
  }
  return right / examples.length;
}

function softmaxOf(features: readonly Int32Array[], weights: ArrayLike<number>, scale = 1): number[] {
  const values = features.map((indices) => {
    let sum = 0;
    for (const index of indices) sum += weights[index]!;
    return Math.exp(sum / scale);
  });
  const sum = values.reduce((total, value) => total + value);
  return values.map((value) => value / sum);
}
