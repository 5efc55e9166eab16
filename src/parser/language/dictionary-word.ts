import { closedClass } from './closed-classes.js';
import { isAdjective, isNoun, isVerb, nounLemma, verbLemma } from './lemma.js';
import { memoize } from './memoize.js';
import type { WordClass } from './word-class.js';

/** What the dictionary says of a word. */
export interface DictionaryWord {
  /** The word in lower case. */
  readonly text: string;
  /** Its class if that is closed. */
  readonly closedClass: WordClass | undefined;
  /** Its singular, and whether that is a noun. */
  readonly noun: string;
  readonly isNoun: boolean;
  /** Its infinitive, and whether that is a verb. */
  readonly verb: string;
  readonly isVerb: boolean;
  readonly isAdjective: boolean;
}

/** Looks a lower-case word up. */
export const dictionaryWord: (word: string) => DictionaryWord = memoize(20_000, (text) => {
  const noun = nounLemma(text);
  const verb = verbLemma(text);
  return {
    text,
    closedClass: closedClass(text),
    noun,
    isNoun: isNoun(noun),
    verb,
    isVerb: isVerb(verb),
    isAdjective: isAdjective(text),
  };
});
