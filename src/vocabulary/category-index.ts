import { readFileSync } from 'node:fs';
import { isAdjective, isNoun, isVerb, nounLemma, verbLemma } from '../parser/language/lemma.js';
import { memoize } from '../parser/language/memoize.js';
import { wordOwners } from './built-in-list.js';
import { joinedWords, nameVariants, singularKey } from './category-names.js';
import { type CategoryWords, type CategoryWordsOptions, categoryWords } from './category-words.js';
import { phraseWords } from './phrase-words.js';
import type { Vocabulary } from './vocabulary.js';

/** Result of looking up a noun phrase among the categories of one image. */
export interface CategoryMatch {
  /** The category of the image that the phrase names, or null. */
  readonly category: string | null;
  /** The reason in words: `'guy' names person`, `hot dog: not detected in this image`, `no category for 'sky'`. */
  readonly why: string;
  /** Whether the phrase names a category of which the image has no box. */
  readonly isAbsent?: boolean;
}

/** The categories that a phrase may name, the first that the image shows decides. */
interface PhraseOwners {
  /** Empty if the phrase names no category. */
  readonly owners: readonly string[];
  /** The part of the phrase that decided. */
  readonly name: string;
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
  readonly #words: CategoryWords;
  readonly #owners: (span: string) => PhraseOwners;

  /** Indexes the words of a vocabulary, or of the categories of a data set. */
  constructor(source: Vocabulary | CategoryWords) {
    this.#words = 'synonyms' in source ? listedWords(source) : source;
    this.#owners = memoize(20_000, (key) => {
      const [span, before] = key.split('\0');
      return this.#findOwners(span!, before ?? '');
    });
  }

  /** Returns an index of the categories of a data set, see `categoryWords`. */
  static ofCategories(categories: readonly string[], options: CategoryWordsOptions = {}): CategoryIndex {
    return new CategoryIndex(categoryWords(categories, options));
  }

  /**
   * Returns the category that a phrase names.
   * @param span the phrase without its determiner; its last word is the head
   * @param present the categories of the image; if a synonym belongs to several categories, the first of these is taken
   * @param before the words before the phrase in the caption, which may belong to a compound: parsers read `hard` in `hard hat`
   * as an attribute. Used for categories of no built-in list
   */
  find(span: string, present: ReadonlySet<string>, before = ''): CategoryMatch {
    const { kinds } = this.#words;
    const { owners, name } = this.#owners(kinds && before !== '' ? `${span}\0${lastWords(before)}` : span);
    if (owners.length === 0) return { category: null, why: `no category for '${name}'` };
    const category = owners.find((owner) => present.has(owner));
    if (category === undefined)
      return { category: null, why: `${owners.join(', ')}: not detected in this image`, isAbsent: true };
    return { category, why: `'${name}' names ${category}` };
  }

  #findOwners(span: string, before: string): PhraseOwners {
    const words = phraseWords(span);
    const head = words.at(-1);
    if (head === undefined) return { owners: [], name: span };
    const { listed, kinds, heads } = this.#words;
    const lemma = nounLemma(head);
    /** Set after a phrase that WordNet knows as something else than what its last word names. */
    let onlyListed = false;
    const preceding = phraseWords(before);
    const modifier = words.at(-2) ?? preceding.filter(isOnlyNoun).at(-1);
    const none = { owners: [], name: head };
    for (let from = 0; from < preceding.length; from++) {
      const rest = [...preceding.slice(from), ...words];
      const name = rest.join(' ');
      const found = listed(rest.join('')) ?? listed(singularKey(rest));
      if (found && !found.isBuiltIn) return { owners: found.owners, name };
      const kind = kinds?.find(rest, found?.owners ?? []);
      if (kind) return { owners: kind.owners, name };
      if (!kinds?.isKnown(rest)) continue;
      if (!kinds.isKindOfOther(rest)) return { owners: [], name };
      onlyListed = true;
    }
    for (let from = 0; from < words.length; from++) {
      const rest = words.slice(from);
      const start = rest.slice(0, -1).join('');
      const name = rest.join(' ');
      const found = listed(start + head) ?? listed(start + lemma);
      if (found?.isName && !(onlyListed && !found.isBuiltIn)) return { owners: found.owners, name };
      const kind = onlyListed ? null : kinds?.find(rest, found?.isOther ? [] : (found?.owners ?? []));
      if (kind) {
        const others = found && !found.isOther ? found.owners : [];
        return { owners: [...new Set([...kind.owners, ...others])], name };
      }
      if (start === '' && !onlyListed) {
        const owner = heads?.get(lemma);
        if (owner !== undefined && isOfHead(modifier, owner) && (!found || found.isOther))
          return { owners: [owner], name };
      }
      if (found?.isExtra && start === '' && !isOfHead(modifier, found.owners[0]!)) return none;
      if (found && !(onlyListed && !found.isBuiltIn)) return { owners: found.owners, name };
      if (start === '') continue;
      if (isDifferentThing(start, [start + head, start + lemma])) return { owners: [], name };
      if (kinds?.isKnown(rest)) onlyListed = true;
    }
    return none;
  }
}

/** Returns the words of a vocabulary alone. */
function listedWords({ synonyms }: Vocabulary): CategoryWords {
  const owners = wordOwners(synonyms);
  return {
    listed: (key) => {
      const found = owners.get(key);
      return found && { owners: found, isName: false, isExtra: false, isBuiltIn: true, isOther: false };
    },
  };
}

/** The length of the end of a text in which its last words are looked for. */
const maxLastWords = 200;

/** The last two words of a text, if nothing but blanks separates them. */
const lastWords = (text: string) =>
  /(?:[\p{L}\p{N}'’-]+ +)?[\p{L}\p{N}'’-]+ *$/u.exec(text.slice(-maxLastWords))?.[0] ?? '';

/** Checks for a noun that cannot be the verb before the phrase: `loading boxes` is not a kind of boxes. */
const isOnlyNoun = (word: string, index: number, { length }: { readonly length: number }) =>
  index === length - 1 && isNoun(word) && !isVerb(verbLemma(word));

/** Nouns before another that do not make it another kind of thing: a `metal rack` is a rack. */
const neutralModifiers = new Set(
  `aluminium aluminum brick canvas cardboard ceramic chrome cloth concrete copper cotton fabric foam glass iron leather metal
  nylon paper plastic plywood porcelain rubber safety steel stone tin vinyl wire wood wool work baby child man toy`.split(
    /\s+/,
  ),
);

/**
 * Checks whether a phrase may be a kind of a category of which it only has the last word: for `coffee machine` a `big machine`
 * or a `steel machine`, but not a `sewing machine`.
 */
function isOfHead(modifier: string | undefined, category: string): boolean {
  if (modifier === undefined || isAdjective(modifier) || !isNoun(nounLemma(modifier))) return true;
  return neutralModifiers.has(modifier) || nameVariants(category).some((name) => name.includes(modifier));
}

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
