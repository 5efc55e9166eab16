import { readFileSync } from 'node:fs';
import { isAdjective, isNoun, nounLemma } from '../parser/language/lemma.js';
import { phraseWords } from './phrase-words.js';
import type { Vocabulary } from './vocabulary.js';

/** Result of looking up a noun phrase among the categories of one image. */
export interface CategoryMatch {
  /** The category of the image that the phrase names, or null. */
  readonly category: string | null;
  /** The reason in words: `'guy' names person`, `hot dog: not detected in this image`, `no category for 'sky'`. */
  readonly why: string;
}

/**
 * Finds the category that a noun phrase names, by whole words and by its head, which is its last word.
 *
 * For `stuffed teddy bear` the index tries `stuffed teddy bear`, `teddy bear` and `bear`, each as written and then with its
 * last word in the singular. The first that is a synonym in the vocabulary decides, even if the image does not show that
 * category, so that a hot dog never counts as a dog. `skate board`, `skate-board` and `skateboard` are equal. The search stops
 * at a phrase that is not a kind of its last word, unless the vocabulary lists it: a known misnomer such as `sea lion`
 * (`misnomers.txt`), or two nouns that form one word of the lexicon, such as `eye ball`. It does not stop at an adjective with a
 * noun: a `black bird` is a bird.
 */
export class CategoryIndex {
  /** Synonym with its words joined → its categories: first the one with this name, then in the vocabulary's order. */
  readonly #owners = new Map<string, string[]>();

  constructor({ synonyms }: Vocabulary) {
    for (const [category, words] of synonyms)
      for (const word of new Set([category, ...words].map(joinedWords)))
        if (word !== '') this.#owners.set(word, [...(this.#owners.get(word) ?? []), category]);
    for (const category of synonyms.keys()) {
      const owners = this.#owners.get(joinedWords(category));
      if (owners) owners.unshift(...owners.splice(owners.indexOf(category), 1));
    }
  }

  /**
   * Returns the category that a phrase names.
   * @param span the phrase without its determiner; its last word is the head
   * @param present the categories of the image; if a synonym belongs to several categories, the first of these is taken
   */
  find(span: string, present: ReadonlySet<string>): CategoryMatch {
    const words = phraseWords(span);
    const head = words.at(-1);
    if (head === undefined) return { category: null, why: `no category for '${span}'` };
    const modifiers = words.slice(0, -1);
    const lemma = nounLemma(head);
    for (let from = 0; from < words.length; from++) {
      const start = modifiers.slice(from).join('');
      const owners = this.#owners.get(start + head) ?? this.#owners.get(start + lemma);
      if (owners) return choose(owners, present, words.slice(from).join(' '));
      if (start !== '' && isDifferentThing(start, [start + head, start + lemma]))
        return { category: null, why: `no category for '${words.slice(from).join(' ')}'` };
    }
    return { category: null, why: `no category for '${head}'` };
  }
}

function choose(owners: readonly string[], present: ReadonlySet<string>, name: string): CategoryMatch {
  const category = owners.find((owner) => present.has(owner));
  if (category === undefined) return { category: null, why: `${owners.join(', ')}: not detected in this image` };
  return { category, why: `'${name}' names ${category}` };
}

/** Joins the words of a phrase: a compound is the same as one word, with a hyphen and as two words. */
const joinedWords = (phrase: string) => phraseWords(phrase).join('');

/**
 * Checks whether a phrase is not a kind of its last word.
 * @param joined the joined words of the phrase, as written and with the last in the singular
 */
const isDifferentThing = (start: string, joined: readonly string[]) => {
  const isCompound = isNoun(start) && !isAdjective(start);
  return joined.some((word) => misnomers().has(word) || (isCompound && isNoun(word)));
};

let knownMisnomers: ReadonlySet<string> | undefined;

function misnomers(): ReadonlySet<string> {
  knownMisnomers ??= new Set(
    readFileSync(new URL('misnomers.txt', import.meta.url), 'utf8')
      .trimEnd()
      .split('\n')
      .map(joinedWords),
  );
  return knownMisnomers;
}
