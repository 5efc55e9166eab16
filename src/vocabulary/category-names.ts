import { nounLemma } from '../parser/language/lemma.js';
import { phraseWords } from './phrase-words.js';

/** Joins the words of a phrase: a compound is the same as one word, with a hyphen and as two words. */
export const joinedWords = (phrase: string): string => phraseWords(phrase).join('');

/** Joins words with the last one in the singular. */
export function singularKey(words: readonly string[]): string {
  const last = words.at(-1);
  return last === undefined ? '' : words.slice(0, -1).join('') + nounLemma(last);
}

/**
 * Returns the keys under which a category name is looked up, the name as a whole first: joined words as written and in the
 * singular.
 */
export function nameKeys(name: string): readonly string[] {
  return [...new Set(nameVariants(name).flatMap((words) => [words.join(''), singularKey(words)]))];
}

/** Longer names are taken as they are; the patterns below would take long for them. */
const maxNameLength = 1000;

/**
 * Returns the names that a category name stands for, each as its words: the whole name, without an index number before it
 * (`03_Hard Hat`), without an explanation in parentheses (`bow_(weapon)`), and each of several names joined by a slash, a comma
 * or `or` (`Cabinet/shelf`). Words of `camelCase` names are separated.
 */
export function nameVariants(name: string): readonly (readonly string[])[] {
  if (name.length > maxNameLength) return [phraseWords(name)].filter((words) => words.length > 0);
  const spaced = name.replace(/(?<=\p{Ll})(?=\p{Lu}\p{Ll})/gu, ' ');
  const unnumbered = spaced.replace(/^\s*\d+\s*[\s_.:)-]\s*(?=\p{L})/u, '');
  const plain = unnumbered.replace(/[\s_]*[([][^)\]]*[)\]]\s*$/u, '');
  const alternatives = plain.split(/\s*[/,;|]\s*|[\s_]+or[\s_]+/iu);
  const variants = [spaced, unnumbered, plain, ...(alternatives.length > 1 ? alternatives : [])].map(phraseWords);
  const seen = new Set<string>();
  return variants.filter((words) => {
    const key = words.join(' ');
    if (key === '' || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
