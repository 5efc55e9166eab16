import { hashOf, mix } from '../language/hash.js';
import { memoize } from '../language/memoize.js';
import type { NounClass } from '../language/noun-classes.js';
import type { ClausePart } from '../rules/clause-parts.js';

/** The parts of a sentence as numbers. */
export interface NumberedParts {
  readonly kinds: readonly number[];
  /** Hashes of lemmas. */
  readonly words: readonly number[];
  /** Of phrases. */
  readonly classes: readonly number[];
  /** Of a phrase 1 if plural, and 2 if it has a determiner; of a verb the number of its subject: 1, 2 for several, 0 for either. */
  readonly numbers: readonly number[];
}

const KIND = {
  ...{
    phrase: 1,
    pronoun: 2,
    preposition: 3,
    finite: 4,
    gerund: 5,
    participle: 6,
    be: 7,
    adjective: 8,
    and: 9,
    comma: 10,
  },
  ...{ while: 11, quote: 12, relative: 13, denial: 14 },
} as const;
/** Before and after a sentence. */
const NO_PART = 15;

const classNumbers: Readonly<Record<NounClass, number>> = {
  ...{
    person: 1,
    animal: 2,
    vehicle: 3,
    board: 4,
    garment: 5,
    bodyPart: 6,
    place: 7,
    tool: 8,
    time: 9,
    event: 10,
    thing: 11,
  },
};
const PRONOUN_CLASS = 12;

const wordHash = memoize(20_000, (word: string): number => hashOf(word));

/** Returns the parts of a sentence as numbers. */
export function numberedParts(parts: readonly ClausePart[]): NumberedParts {
  const kinds: number[] = [];
  const words: number[] = [];
  const classes: number[] = [];
  const numbers: number[] = [];
  for (const part of parts) {
    let [word, nounClass, number] = [0, 0, 0];
    if (part.kind === 'phrase') {
      const { entity, isPlural, isDetermined } = part.phrase;
      word = wordHash(entity.lemma);
      nounClass = classNumbers[part.phrase.nounClass];
      number = (isPlural ? 1 : 0) | (isDetermined ? 2 : 0);
    } else if (part.kind === 'verb') {
      word = wordHash(part.verb);
      number = part.isSingular === undefined ? 0 : part.isSingular ? 1 : 2;
    } else if (part.kind === 'preposition') word = wordHash(part.text);
    else if (part.kind === 'pronoun') {
      word = wordHash(part.word);
      nounClass = PRONOUN_CLASS;
      number = /^(?:they|them|both|all|some|others)$/.test(part.word) ? 1 : 0;
    }
    kinds.push(part.kind === 'verb' ? KIND[part.form] : KIND[part.kind]);
    words.push(word);
    classes.push(nounClass);
    numbers.push(number);
  }
  return { kinds, words, classes, numbers };
}

const isNominal = (kind: number) => kind === KIND.phrase || kind === KIND.pronoun;
const isVerb = (kind: number) => kind === KIND.finite || kind === KIND.gerund || kind === KIND.participle;
const isJoint = (kind: number) => kind === KIND.and || kind === KIND.comma;

/** Candidates before an object, and after one whose sentence or clause begins with a predicate. */
const MOST_BEFORE = 8;
const MOST_AFTER = 2;
const MOST_CANDIDATES = 1 + MOST_BEFORE + MOST_AFTER;
/** Features of a candidate, at most. */
const MOST_FEATURES = 12;
/** Larger distances make no difference. */
const FAR = 3;

/** The part of the candidate that stands for no subject. */
export const NO_SUBJECT = -1;

/** The candidates for the subject of an object's predicate, with the features of each. They are overwritten for each object. */
export class SubjectCandidates {
  count = 0;
  /** Their parts; the first is `NO_SUBJECT`. */
  readonly parts = new Int32Array(MOST_CANDIDATES);
  private readonly sizes = new Uint8Array(MOST_CANDIDATES);
  private readonly features = new Int32Array(MOST_CANDIDATES * MOST_FEATURES);
  private readonly shift: number;

  /** @param bits binary logarithm of the number of weights */
  constructor(bits: number) {
    this.shift = 32 - bits;
  }

  /** Returns the indices of the weights of a candidate's features. */
  featuresOf(candidate: number): Int32Array {
    const start = candidate * MOST_FEATURES;
    return this.features.subarray(start, start + this.sizes[candidate]!);
  }

  /** Sums the weights of a candidate's features. */
  sumOf(candidate: number, weights: Int8Array): number {
    const start = candidate * MOST_FEATURES;
    const end = start + this.sizes[candidate]!;
    let sum = 0;
    for (let k = start; k < end; k++) sum += weights[this.features[k]!]!;
    return sum;
  }

  /** Finds the candidates for the object at a part of the sentence. */
  find(sentence: NumberedParts, object: number): void {
    const { kinds, words, classes } = sentence;
    this.count = 0;
    // The predicate: a verb, a preposition or both; of the second in "on a bench and a table", that of the first.
    const joint = object > 0 && isJoint(kinds[object - 1]!) ? kinds[object - 1]! : 0;
    let k = beforeList(kinds, object - 1);
    let preposition = 0;
    for (let n = 0; n < 2 && k >= 0 && kinds[k] === KIND.preposition; n++, k--)
      preposition = mix(preposition, words[k]!);
    let verb = -1;
    if (k >= 0 && isVerb(kinds[k]!)) verb = k--;
    const before = k < 0 ? NO_PART : kinds[k]!;
    const predicate: Predicate = {
      preposition,
      verb: verb < 0 ? 0 : words[verb]!,
      form: verb < 0 ? 0 : kinds[verb]!,
      number: verb < 0 ? 0 : sentence.numbers[verb]!,
      role: mix(mix((preposition === 0 ? 0 : 1) + 2 * (verb < 0 ? 0 : kinds[verb]!), before), joint),
      verbPart: verb,
    };
    this.addNone(kinds, object, predicate, mix(before, joint));
    this.addBefore(sentence, object, predicate);
    if (!isNominal(kinds[0]!) || before === KIND.while || before === KIND.comma)
      this.addAfter(sentence, object, predicate, classes[object]!);
  }

  /** Adds the candidate that stands for no subject: the phrase is a subject itself, or stands alone. */
  private addNone(kinds: readonly number[], object: number, predicate: Predicate, context: number): void {
    const { preposition, verb, form, role } = predicate;
    const after = kinds[object + 1] ?? NO_PART;
    let path = 0;
    for (let k = object - 1; k >= 0 && k > object - 6; k--) path = mix(path, kinds[k]!);
    this.begin(NO_SUBJECT);
    this.add(1, mix(role, after));
    this.add(2, mix(mix(preposition, verb), after));
    this.add(3, mix(role, mix(kinds[0]!, Math.min(FAR, object))));
    this.add(4, mix(role, mix(after, kinds[object + 2] ?? NO_PART)));
    this.add(5, mix(verb, form));
    this.add(6, mix(context, after));
    this.add(7, path);
    this.add(8, mix(path, after));
  }

  private addBefore(sentence: NumberedParts, object: number, predicate: Predicate): void {
    const { kinds, words, classes, numbers } = sentence;
    const { preposition, verb, form, number, role, verbPart } = predicate;
    // What is between the candidate and the object.
    let path = 0;
    let commas = 0;
    let verbs = 0;
    let clauses = 0;
    let distance = 0;
    let nearest = 0;
    for (let k = object - 1; k >= 0 && this.count <= MOST_BEFORE; k--) {
      const kind = kinds[k]!;
      if (isNominal(kind)) {
        const [word, nounClass, origin] = [words[k]!, classes[k]!, originOf(sentence, k)];
        this.begin(k);
        this.add(10, mix(path, preposition));
        this.add(11, mix(mix(preposition, nounClass), classes[object]!));
        this.add(12, mix(verb, word));
        this.add(13, mix(mix(preposition, origin), distance));
        this.add(14, mix(mix(form, number), mix(numbers[k]! & 1, path)));
        this.add(15, mix(mix(role, distance), mix(commas, verbs)));
        this.add(16, mix(mix(form, nounClass), mix(k === 0 ? 1 : 0, mix(distance, nearest))));
        this.add(17, mix(mix(numbers[k]!, role), mix(distance, nounClass)));
        this.add(18, mix(clauses, mix(role, distance)));
        this.add(19, mix(mix(path, origin), role));
        if (nearest === 0) nearest = nounClass;
        if (distance < FAR) distance++;
      } else if (kind === KIND.comma) commas = Math.min(2, commas + 1);
      else if (isVerb(kind) && k !== verbPart) verbs = Math.min(2, verbs + 1);
      else if (kind === KIND.relative) clauses |= 1;
      else if (kind === KIND.while) clauses |= 2;
      path = mix(path, kind);
    }
  }

  /** Adds what follows "In a kitchen", "on the table are". */
  private addAfter(
    { kinds, words, classes }: NumberedParts,
    object: number,
    predicate: Predicate,
    objectClass: number,
  ): void {
    const { preposition, verb, role } = predicate;
    let path = 0;
    let found = 0;
    for (let k = object + 1; k < kinds.length && found < MOST_AFTER; k++) {
      if (isNominal(kinds[k]!)) {
        this.begin(k);
        this.add(30, mix(path, found));
        this.add(31, mix(path, mix(preposition, verb)));
        this.add(32, mix(mix(preposition, classes[k]!), objectClass));
        this.add(33, mix(verb, words[k]!));
        this.add(34, mix(path, mix(role, Math.min(FAR, object))));
        this.add(35, mix(mix(path, classes[k]!), mix(role, kinds[object + 1] ?? NO_PART)));
        found++;
      }
      path = mix(path, kinds[k] === KIND.preposition ? words[k]! : kinds[k]!);
    }
  }

  private begin(part: number): void {
    this.parts[this.count] = part;
    this.sizes[this.count++] = 0;
  }

  private add(name: number, value: number): void {
    const last = this.count - 1;
    this.features[last * MOST_FEATURES + this.sizes[last]!++] = Math.imul(mix(name, value), 0xc2b2ae35) >>> this.shift;
  }
}

interface Predicate {
  /** Hashes of its words; 0 if there is none. */
  readonly preposition: number;
  readonly verb: number;
  /** The kind of the verb. */
  readonly form: number;
  readonly number: number;
  /** What it consists of, and what kinds of parts are before it and before the object. */
  readonly role: number;
  /** -1 if there is none. */
  readonly verbPart: number;
}

/** Returns the part before the phrases that "and" and commas join with the one after `last`. */
function beforeList(kinds: readonly number[], last: number): number {
  let k = last;
  while (k >= 1 && isJoint(kinds[k]!) && kinds[k - 1] === KIND.phrase) k -= 2;
  return k;
}

/** Returns a hash of what introduced a phrase: its preposition, and whether a verb has it. */
function originOf({ kinds, words }: NumberedParts, phrase: number): number {
  let k = phrase - 1;
  let origin = k >= 0 && isJoint(kinds[k]!) ? kinds[k]! : 0;
  k = beforeList(kinds, k);
  if (k >= 0 && kinds[k] === KIND.preposition) origin = words[k--]!;
  return mix(origin, k >= 0 && isVerb(kinds[k]!) ? 1 : 0);
}
