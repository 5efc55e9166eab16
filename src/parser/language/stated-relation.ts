import type { TextRelation } from '../../records/text-graph.js';
import { articles, possessives } from './closed-classes.js';
import { isAdjective, isNoun, isVerb, nounLemma, verbLemma } from './lemma.js';
import { memoize } from './memoize.js';
import { prepositionAt } from './prepositions.js';
import { wordSet } from './word-set.js';

/** A relation of two phrases of a caption in the words of a model, which may differ from the caption's. */
export interface ModelRelation {
  /** The words of the caption, in lower case. */
  readonly words: readonly string[];
  /** Whether a word belongs to a phrase. */
  readonly isPhrase: (index: number) => boolean;
  /** The phrase that comes first, and the one that comes second: the index of the first word and the one after the last. */
  readonly first: { readonly start: number; readonly end: number };
  readonly second: { readonly start: number; readonly end: number };
  /** Whether the first phrase is the subject. */
  readonly isForward: boolean;
  /** The model's predicate, its verb as a lemma. */
  readonly predicate: string;
  /** In [0, 1], if the model says it. */
  readonly confidence?: number;
}

/** How a caption states a relation. */
interface StatedPredicate {
  /** In the caption's words: `covered with`. Empty if the caption has no words for it, as in "a table leg". */
  readonly text: string;
  /** With its verb as a lemma: `cover with`. */
  readonly lemma: string;
  /** Whether the first phrase is the subject of the caption's predicate. */
  readonly isForward: boolean;
}

/**
 * Returns a relation in the words of the caption, with the model's where they differ.
 * @param subject index of the model's subject in the entities of the graph
 * @param object index of the model's object
 */
export function statedRelation(subject: number, object: number, relation: ModelRelation): TextRelation {
  const { text, lemma, isForward } = statedPredicate(relation);
  const isSwapped = isForward !== relation.isForward;
  const stated: TextRelation = {
    subject: isSwapped ? object : subject,
    object: isSwapped ? subject : object,
    predicate: text,
    lemma,
  };
  if (isSwapped) stated.inferred = { lemma: relation.predicate, swapped: true };
  else if (lemma !== relation.predicate) stated.inferred = { lemma: relation.predicate };
  if (relation.confidence !== undefined) stated.confidence = relation.confidence;
  return stated;
}

/**
 * Finds the words of a caption for a predicate. They are the model's if the caption has them; otherwise those between the two
 * phrases: a man "in" a hat, where the model says `wear`, and a field "covered with" snow, which the model says `covers` it.
 */
function statedPredicate(relation: ModelRelation): StatedPredicate {
  const { isForward, predicate } = relation;
  const parts = predicate.includes(' ') ? predicate.split(' ') : [predicate];
  // Of two phrases without a word between them ("a train station for people"), no preposition elsewhere says how they are related.
  const isCompound = relation.first.end === relation.second.start && prepositionAt(parts, 0) !== undefined;
  const all = isCompound ? undefined : indicesOf(relation, parts);
  // "doing a trick on a ramp" is about being on it.
  const isNounFirst = all !== undefined && all.length > 1 && beforeNouns.has(relation.words[all[0]! - 1] ?? '');
  const found = isNounFirst ? all.slice(1) : all;
  if (found && (isForward || parts.length > 1 || !isParticiple(relation.words[found[0]!]!)))
    return {
      text: found.map((index) => relation.words[index]).join(' '),
      lemma: isNounFirst ? parts.slice(1).join(' ') : predicate,
      isForward,
    };
  const text = connection(relation);
  const [head = '', ...rest] = text.split(' ');
  return {
    text,
    lemma: [isVerb(verbLemma(head)) && !prepositionAt([head], 0) ? verbLemma(head) : head, ...rest].join(' '),
    isForward: true,
  };
}

/** Returns where the caption has the words of a predicate: between the phrases, or before or after both. */
function indicesOf({ words, isPhrase, first, second }: ModelRelation, parts: readonly string[]): number[] | undefined {
  const ranges = [
    [first.end, second.start],
    [second.end, words.length],
    [0, first.start],
  ] as const;
  for (const [from, to] of ranges) {
    const found: number[] = [];
    for (let k = to - 1; k >= from && found.length < parts.length; k--) {
      const part = parts[parts.length - 1 - found.length]!;
      const word = words[k]!;
      if (isPhrase(k)) continue;
      if (word === part || (found.length === parts.length - 1 && word.length > 2 && verbLemma(word) === part))
        found.unshift(k);
    }
    if (found.length === parts.length) return found;
  }
  return undefined;
}

const isParticiple = (word: string) => verbLemma(word) !== word && !word.endsWith('ing') && !word.endsWith('s');

/** Returns the last verb and preposition between two phrases, without articles: `covered with`, `'s`, `his`. */
function connection({ words, isPhrase, first, second }: ModelRelation): string {
  const kinds: boolean[] = [];
  for (let k = first.end; k < second.start; k++) {
    const length = isPhrase(k) ? 0 : (prepositionAt(words, k)?.length ?? 0);
    const isLinked = length > 0 || (!isPhrase(k) && (words[k] === "'s" || isVerbForm(words[k]!)));
    kinds[k] = isLinked;
    for (let n = 1; n < length && k + 1 < second.start; n++) kinds[++k] = true;
  }
  let end = second.start;
  while (end > first.end && !kinds[end - 1]) end--;
  let start = end;
  while (start > first.end && kinds[start - 1]) start--;
  if (end > start)
    return words
      .slice(start, end)
      .filter((word) => !articles.has(word))
      .join(' ');
  const before = words[second.start - 1] ?? '';
  return second.start > first.end && possessives.has(before) ? before : '';
}

/** Checks for a form that is a verb for sure: `covered`, `worn`, but not `white`, `suit` or `kites`. */
const isVerbForm = memoize(20_000, (word: string) => {
  // "a half-eaten sandwich"
  if (word.length < 3 || auxiliaries.has(word) || word.includes('-')) return false;
  const lemma = verbLemma(word);
  if (!isVerb(lemma)) return false;
  return lemma === word || word.endsWith('s')
    ? !isNoun(nounLemma(word)) && !isAdjective(word)
    : !isAdjective(word) || /(?:ed|ing|[ew]n)$/.test(word);
});
const auxiliaries = wordSet('are was were been being does did can will could would should may might must');

/** Words that a noun follows: articles, and verbs whose object says what somebody does. */
const beforeNouns = wordSet('a an the his her its their some do does doing did perform performs performing');
