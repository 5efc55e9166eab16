import { readFileSync } from 'node:fs';
import type { Mention } from '../rules/antecedents.js';
import type { ClausePart, PronounPart } from '../rules/clause-parts.js';
import type { NounPhrase } from '../rules/noun-phrase.js';
import type { Group } from '../rules/origin.js';
import { type NumberedParts, numberedParts, SubjectCandidates } from './subject-features.js';

/** How probable it is that a phrase is the subject of another's predicate, as far as the sentence tells; each number in [0, 1]. */
export interface SubjectSupport {
  /** The phrase. */
  readonly own: number;
  /** The phrase, or one that has the same relation: the fork or the knife in "a fork and a knife on a plate". */
  readonly shared: number;
  /** The most probable other phrase. */
  readonly rival: number;
  /** Pronouns of which it is not known what they stand for. */
  readonly pronoun: number;
  /** None in the sentence. */
  readonly none: number;
  /** Whether the object, or what it is at, is that of the phrase, or of one that has the same relation, rather than of another; undefined if nothing tells. */
  readonly isOwner?: boolean;
}

/** Binary logarithm of the number of weights. */
export const WEIGHT_BITS = 17;
/** A weight of 1, as a byte. */
export const WEIGHT_SCALE = 32;

interface Sentence {
  readonly parts: readonly ClausePart[];
  numbered?: NumberedParts;
}

interface Place {
  readonly sentence: Sentence;
  readonly part: number;
}

/** The parts that may be the subject of a phrase, and their probabilities; the first stands for none. */
interface Distribution {
  readonly parts: readonly number[];
  readonly probabilities: readonly number[];
}

/** Scores which phrases are the subjects of the predicates of others: a log-linear model, learned from the dependencies of spaCy. */
export class SubjectScorer {
  private readonly places = new Map<NounPhrase | PronounPart, Place>();
  private readonly distributions = new Map<NounPhrase | PronounPart, Distribution>();

  /** @param sentences whose phrases may be related */
  constructor(sentences: readonly (readonly ClausePart[])[]) {
    for (const parts of sentences) {
      const sentence = { parts };
      for (const [k, part] of parts.entries())
        if (part.kind === 'phrase') this.places.set(part.phrase, { sentence, part: k });
        else if (part.kind === 'pronoun') this.places.set(part, { sentence, part: k });
    }
  }

  /**
   * Returns what supports a phrase as the subject of another; undefined for a phrase of no sentence.
   * @param group phrases that have the same relation
   * @param mentions what pronouns stand for
   * @param pronoun stands for the object
   */
  supportOf(
    subject: NounPhrase,
    group: Group,
    object: NounPhrase,
    mentions: readonly Mention[],
    pronoun?: PronounPart,
  ): SubjectSupport | undefined {
    const to = this.places.get(pronoun ?? object);
    if (!to || !this.places.has(subject)) return undefined;
    const { parts, probabilities } = this.ofObject(pronoun ?? object, to);
    let [own, others, rival, unknown, itself] = [0, 0, 0, 0, 0];
    for (let k = 1; k < parts.length; k++) {
      const candidate = to.sentence.parts[parts[k]!]!;
      const probability = probabilities[k]!;
      const meant = candidate.kind === 'phrase' ? candidate.phrase : meaningOf(candidate as PronounPart, mentions);
      if (!meant) unknown += probability;
      else if (isOrHas(meant, subject)) own += probability;
      else if (group.some((phrase) => isOrHas(meant, phrase))) others += probability;
      else if (isOrHas(meant, object)) itself += probability;
      else if (probability > rival) rival = probability;
    }
    // "holds the cup next to her": what she holds is next to her, not she herself.
    const rest = Math.max(LEAST_REST, 1 - itself);
    return {
      own: own / rest,
      shared: (own + others) / rest,
      rival: rival / rest,
      pronoun: unknown / rest,
      none: probabilities[0]! / rest,
    };
  }

  private ofObject(object: NounPhrase | PronounPart, { sentence, part }: Place): Distribution {
    const known = this.distributions.get(object);
    if (known) return known;
    sentence.numbered ??= numberedParts(sentence.parts);
    candidates.find(sentence.numbered, part);
    const found = distributionOf(candidates, shippedWeights());
    this.distributions.set(object, found);
    return found;
  }
}

/** Smaller probabilities of all but the object itself make no difference. */
const LEAST_REST = 0.01;

const candidates = new SubjectCandidates(WEIGHT_BITS);

let weights: Int8Array | undefined;
function shippedWeights(): Int8Array {
  weights ??= new Int8Array(readFileSync(new URL('subjects.model', import.meta.url)));
  return weights;
}

/** Returns the candidates with their probabilities; together they are 1. */
function distributionOf(found: SubjectCandidates, of: Int8Array): Distribution {
  const parts: number[] = [];
  const probabilities: number[] = [];
  let sum = 0;
  for (let k = 0; k < found.count; k++) {
    const value = Math.exp(found.sumOf(k, of) / WEIGHT_SCALE);
    parts.push(found.parts[k]!);
    probabilities.push(value);
    sum += value;
  }
  for (let k = 0; k < found.count; k++) probabilities[k]! /= sum;
  return { parts, probabilities };
}

/** Returns what a pronoun stands for; undefined if that is not known. */
function meaningOf({ start }: PronounPart, mentions: readonly Mention[]): Group | undefined {
  for (const mention of mentions) if (mention.start === start) return mention.antecedents;
  return undefined;
}

const isOrHas = (meant: NounPhrase | Group, phrase: NounPhrase) =>
  meant === phrase || (Array.isArray(meant) && meant.includes(phrase));
