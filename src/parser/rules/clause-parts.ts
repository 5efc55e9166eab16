import { possessives } from '../language/closed-classes.js';
import { verbLemma } from '../language/lemma.js';
import { prepositionAt } from '../language/prepositions.js';
import type { Token } from '../language/tokenize.js';
import { QUOTE, type WordClass } from '../language/word-class.js';
import { wordSet } from '../language/word-set.js';
import { type NounPhrase, nounPhraseAt, type TaggedSentence } from './noun-phrase.js';

/** The predicate of a relation. */
export interface Predicate {
  /** As written, without auxiliaries, adverbs and articles: `sitting on`. */
  readonly text: string;
  /** With its verb as a lemma: `sit on`. */
  readonly lemma: string;
  /** How annotators word it, if not by its lemma. */
  readonly inferred?: { readonly lemma: string } | undefined;
  /** Whether the caption says that it is not so, or only might be: "is not wearing", "about to hit". */
  readonly isDenied?: boolean;
}

/** A verb with its particle: `riding`, `holding up`, `trying to catch`. */
export interface VerbPart extends Predicate {
  readonly kind: 'verb';
  /** The infinitive of the first verb. */
  readonly verb: string;
  /** Whether `to` is before it: "to allow people to board". */
  readonly isInfinitive?: boolean;
  /** Whether it is only possible, intended or nearly so, rather than negated. */
  readonly isPossible?: boolean;
  /** Whether its subject is one thing, as far as its form says it: `holds`, but `hold`. */
  readonly isSingular?: boolean;
  /** A gerund or participle without an auxiliary may describe any noun before it; a finite verb has the clause's subject. */
  readonly form: 'finite' | 'gerund' | 'participle';
}

/** `it`, `them`; `one` also for "the other" and "one of them", `both` for "all of them", `nothing` for what is not there. */
export interface PronounPart {
  readonly kind: 'pronoun';
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/** One constituent of a sentence, in reading order. */
export type ClausePart =
  | { readonly kind: 'phrase'; readonly phrase: NounPhrase }
  | PronounPart
  /** The lemma is only there if it differs from the text. */
  | { readonly kind: 'preposition'; readonly text: string; readonly lemma?: string }
  | VerbPart
  /** A form of `be` without a verb: "is in", "is red". */
  | { readonly kind: 'be'; readonly isDenied?: boolean; readonly isSingular?: boolean }
  | { readonly kind: 'adjective'; readonly text: string }
  /** `quote` stands for words that somebody or something says. */
  | { readonly kind: 'and' | 'comma' | 'while' | 'quote' }
  /** `who` is about persons and animals, `which` about things, `that` about either. */
  | { readonly kind: 'relative'; readonly word: string }
  /** `neither`, `as if`: the clause states nothing; `as if` also starts one. */
  | { readonly kind: 'denial'; readonly isNewClause: boolean };

/** Groups the words of a sentence into phrases, verbs and prepositions; words without a role in a relation are dropped. */
export function clauseParts(sentence: TaggedSentence): ClausePart[] {
  const words = sentence.tokens.map(({ text }) => text);
  const clause: ClausePart[] = [];
  let k = 0;
  while (k < words.length) {
    const { part, also, next } = partAt(sentence, words, k);
    if (part) clause.push(part);
    if (also) clause.push(also);
    k = next;
  }
  return clause;
}

interface Step {
  readonly part?: ClausePart;
  /** A second part. */
  readonly also?: ClausePart;
  readonly next: number;
}

/** Returns a pronoun of the words from one on, up to the next part. */
function pronounAt(tokens: readonly Token[], k: number, word: string, next = k + 1): Step {
  const end = tokens[Math.min(next, tokens.length) - 1]!.end;
  return { part: { kind: 'pronoun', word, start: tokens[k]!.start, end }, next };
}

function partAt(sentence: TaggedSentence, words: readonly string[], k: number): Step {
  const { tags, tokens } = sentence;
  const reciprocal =
    (words[k] === 'each' && words[k + 1] === 'other') || (words[k] === 'one' && words[k + 1] === 'another');
  if (words[k] === 'as' && /^(?:if|though)$/.test(words[k + 1] ?? ''))
    return { part: { kind: 'denial', isNewClause: true }, next: k + 2 };
  if (words[k] === QUOTE) return { part: { kind: 'quote' }, next: k + 1 };
  // "fruit, including apples and pears" continues a list.
  if (words[k] === 'including' || (words[k] === 'such' && words[k + 1] === 'as'))
    return { part: { kind: 'and' }, next: k + (words[k] === 'such' ? 2 : 1) };
  if (words[k] === 'neither') return { part: { kind: 'denial', isNewClause: false }, next: k + 1 };
  if (words[k] === 'no' && words[k + 1] === 'one') return pronounAt(tokens, k, 'nothing', k + 2);
  if (nothing.test(words[k]!))
    return pronounAt(
      tokens,
      k,
      'nothing',
      words[k + 1] === 'of' ? (nounPhraseAt(sentence, k + 2)?.next ?? k + 3) : k + 1,
    );
  // "to her right, a man sits": to the right of her
  const side = words[k] === 'to' || words[k] === 'on' ? sideAt(words, tags, k) : undefined;
  if (side) {
    const { start, end } = tokens[k + 1]!;
    return {
      part: { kind: 'preposition', text: `${words[k]} ${side.text}`, lemma: `${words[k]} ${side.text} of` },
      also: { kind: 'pronoun', word: personal[side.owner]!, start, end },
      next: side.next,
    };
  }
  const member = memberAt(words, tags, k);
  if (member) return pronounAt(tokens, k, member.word, member.next);
  if (unlikely.has(words[k]!) && tags[k + 1] === 'verb') return verbAt(sentence, words, k);
  if (words[k] === 'not' && (tags[k + 1] === 'determiner' || tags[k + 1] === 'noun')) {
    const phrase = nounPhraseAt(sentence, k + 1);
    if (phrase) return { next: phrase.next };
  }
  if (isNegation(words[k]!) && (/n't$/.test(words[k]!) || tags[k + 1] === 'verb' || tags[k + 1] === 'adverb') && k > 0)
    return verbAt(sentence, words, k);
  if (isNegation(words[k]!)) return pronounAt(tokens, k, 'nothing');
  if (reciprocal) return pronounAt(tokens, k, 'each other', k + 2);
  switch (tags[k]) {
    case 'determiner':
    case 'number':
    case 'adjective':
    case 'noun': {
      const phrase = nounPhraseAt(sentence, k);
      // A phrase with `no` is not part of a relation.
      if (phrase && words[k] === 'no') {
        // "no text or signs"
        const other = /^n?or$/.test(words[phrase.next] ?? '') ? nounPhraseAt(sentence, phrase.next + 1) : undefined;
        return pronounAt(tokens, k, 'nothing', other?.next ?? phrase.next);
      }
      // "a few steps away"
      if (phrase && units.has(phrase.entity.lemma) && words[phrase.next] === 'away') return { next: phrase.next };
      if (phrase) return { part: { kind: 'phrase', phrase }, next: phrase.next };
      if (tags[k] === 'adjective') return adjectiveAt(sentence, words, k);
      return { next: k + 1 };
    }
    case 'pronoun':
      return pronounAt(tokens, k, words[k]!);
    case 'preposition': {
      if (words[k] === 'about' && tags[k + 1] === 'to') return verbAt(sentence, words, k);
      const { text, length } = prepositionAt(words, k) ?? { text: words[k]!, length: 1 };
      return { part: { kind: 'preposition', text }, next: k + length };
    }
    case 'be':
    case 'verb':
      return verbAt(sentence, words, k);
    case 'relative':
      return { part: { kind: 'relative', word: words[k]! }, next: k + 1 };
    case 'while':
    case 'and':
    case 'comma':
      return { part: { kind: tags[k] as 'while' | 'and' | 'comma' }, next: k + 1 };
    default:
      return { next: k + 1 };
  }
}

/**
 * Reads what stands for a part of a group, or for all of it: "one", "the other", "the taller one", "two of them", "some of whom" are
 * `one`; "both" and "all of them" are `both` and `them`.
 */
function memberAt(
  words: readonly string[],
  tags: readonly WordClass[],
  start: number,
): { readonly word: string; readonly next: number } | undefined {
  let k = start;
  if (words[k] === 'the') {
    k++;
    while (tags[k] === 'adjective' && words[k] !== 'other') k++;
    if (k > start + 1 ? !/^ones?$/.test(words[k] ?? '') : !ordinals.has(words[k] ?? '') && words[k] !== 'one')
      return undefined;
  } else if (words[k] === 'a' && ordinals.has(words[k + 1] ?? '')) k++;
  // "while a third holds the rope"
  else if (tags[k] !== 'number' && !members.has(words[k]!)) return undefined;
  const word =
    words[start] === 'both' ? 'both' : words[start] === 'others' ? 'others' : words[start] === 'all' ? 'them' : 'one';
  k++;
  if (/^(?:ones?|two|three)$/.test(words[k] ?? '') && words[start] !== words[k]) k++;
  if (words[k] === 'of' && (tags[k + 1] === 'pronoun' || tags[k + 1] === 'relative')) return { word, next: k + 2 };
  if (k === start + 1 && (tags[start] === 'number' || words[start] === 'all') && tags[k] !== 'be') return undefined;
  // "and the one on the right plays"
  if (words[start + 1] === 'one' && words[start] === 'the')
    return standsAlone.has(tags[k]!) && words[k] !== 'of' ? { word: 'the one', next: k } : undefined;
  // "a cup in one hand and a fork in the other"
  if (
    words[start] === 'the' &&
    words[k - 1] === 'other' &&
    tags[start - 1] === 'preposition' &&
    endsPhrase.has(tags[k])
  )
    return { word: 'the other', next: k };
  // "the other an apple"
  if (words[start] === 'the' && k === start + 2 && /^an?$/.test(words[k] ?? '')) return { word, next: k };
  if (words[k] === ',' && words[start] === 'the' && tags[k + 1] === 'relative') return { word, next: k };
  return standsAlone.has(tags[k]!) && words[k] !== 'of' ? { word, next: k } : undefined;
}

/** What follows a word that stands for a noun. */
const standsAlone: ReadonlySet<WordClass> = new Set<WordClass>(['be', 'verb', 'relative', 'preposition', 'adverb']);
const endsPhrase: ReadonlySet<WordClass | undefined> = new Set<WordClass | undefined>([
  undefined,
  'comma',
  'and',
  'while',
]);
/** Words that stand for a part of a group. */
const members = wordSet('one another both each some many most all several few others');
const ordinals = wordSet('other others first second third former latter');

const personal: Readonly<Record<string, string>> = { his: 'him', her: 'her', its: 'it', their: 'them' };

/** Reads "her left side" after "to" or "on", unless a noun follows: "on her left hand". */
function sideAt(words: readonly string[], tags: readonly WordClass[], k: number) {
  const [owner, side] = [words[k + 1] ?? '', words[k + 2] ?? ''];
  if (!possessives.has(owner) || !/^(?:left|right)$/.test(side)) return undefined;
  const next = words[k + 3] === 'side' ? k + 4 : k + 3;
  if (tags[next] === 'noun' || tags[next] === 'adjective' || words[next] === 'of') return undefined;
  return { owner, text: words.slice(k + 2, next).join(' '), next };
}

/** Reads an adjective: "ready to swing" counts as a verb, "is red" as an attribute. */
function adjectiveAt(sentence: TaggedSentence, words: readonly string[], k: number): Step {
  if (sentence.tags[k + 1] === 'to' && sentence.tags[k + 2] !== undefined) return verbAt(sentence, words, k);
  return { part: { kind: 'adjective', text: words[k]! }, next: k + 1 };
}

/** Reads a verb with its infinitives, without auxiliaries and adverbs: "is getting ready to hit". */
function verbAt({ tags }: TaggedSentence, words: readonly string[], start: number): Step {
  let k = start;
  let isDenied = false;
  let isPossible = false;
  for (;;) {
    const isHave = k === start && /^(?:has|have|had)$/.test(words[k]!) && isNegation(words[k + 1] ?? '');
    if (isNegation(words[k] ?? '')) isDenied = true;
    else if (unlikely.has(words[k] ?? '')) isPossible = true;
    else if (tags[k] !== 'be' && !(tags[k] === 'adverb' && k > start) && !isHave) break;
    k++;
  }
  const hasAuxiliary = k > start;
  const isVerb = tags[k] === 'verb' || tags[k + 1] === 'to';
  const number = numberOf(words[start]!, tags[start] === 'be');
  if (hasAuxiliary && !isVerb)
    return {
      part: { kind: 'be', ...((isDenied || isPossible) && { isDenied: true }), ...number },
      next: isDenied || isPossible ? k : start + 1,
    };
  if (words[k] === undefined) return { next: k };
  const first = words[k]!;
  const verb = verbLemma(first);
  const afterVerb = k + 1;
  const to = tags[afterVerb] === 'adjective' ? afterVerb + 1 : afterVerb;
  k = tags[to] === 'to' && words[to + 1] !== undefined ? to + 2 : afterVerb;
  // "appears to be"
  if (k > afterVerb && words[k - 1] === 'be') return { part: { kind: 'be' }, next: k };
  if (k > afterVerb && intentions.has(verb)) isPossible = true;
  const rest = words.slice(afterVerb, k).map((word) => ` ${word}`);
  while (tags[k] === 'adverb') k++;
  const form = formOf(first, verb, hasAuxiliary && words[start] !== 'being');
  const lemma = verb + rest.join('');
  const denial = isDenied ? { isDenied } : isPossible ? { isDenied: true, isPossible } : {};
  return {
    part: {
      kind: 'verb',
      text: first + rest.join(''),
      lemma,
      verb,
      form,
      ...denial,
      ...number,
      ...(tags[start - 1] === 'to' && { isInfinitive: true }),
    },
    next: k,
  };
}

/** Checks for a negation, after which a predicate relates nothing. */
const isNegation = (word: string) => word === 'not' || word === 'never' || word.endsWith("n't");

/** Returns whether a finite verb has one subject: `holds`, `is`; neither for `held`. */
function numberOf(word: string, isAuxiliary: boolean): { readonly isSingular?: boolean } {
  if (isAuxiliary)
    return /^(?:is|was|has|does)$/.test(word) ? { isSingular: true } : isMany(word) ? { isSingular: false } : {};
  return word.endsWith('s') ? { isSingular: true } : {};
}

const isMany = (word: string) => /^(?:are|were|have|do)$/.test(word);

/** Returns the form of a verb; "a dog being washed" has a participle, like "a dog washed". */
function formOf(word: string, verb: string, hasAuxiliary: boolean): VerbPart['form'] {
  if (hasAuxiliary || (word === verb && !alike.has(word))) return 'finite';
  if (word.endsWith('ing')) return 'gerund';
  return word.endsWith('s') ? 'finite' : 'participle';
}

/** Past participles like their infinitive. */
const alike = wordSet('spread set cut split shut');

/** Adverbs of what does not happen. */
const unlikely = wordSet('almost nearly barely hardly');
/** Before an infinitive: what they introduce has not happened. */
const intentions = wordSet('about pretend ready try attempt prepare want get plan intend wait fail hope go refuse');
/** What distances are counted in. */
const units = wordSet('step foot feet meter metre yard inch mile block');
/** Pronouns without a person or thing. */
const nothing = /^no(?:body|thing|ne)$/;
