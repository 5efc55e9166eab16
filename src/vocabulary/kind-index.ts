import { isAdjective } from '../parser/language/lemma.js';
import { vagueWords } from './built-in-list.js';
import { nameVariants, singularKey } from './category-names.js';
import { type NounHierarchy, nounHierarchy, type Sense } from './noun-hierarchy.js';

/** What the noun hierarchy says about a phrase. */
export interface KindMatch {
  /** The categories that the phrase is a kind of, the most specific ones only. */
  readonly owners: readonly string[];
  /** The phrase in WordNet's spelling. */
  readonly word: string;
  /** Number of steps from the phrase's meaning up to that of the categories; 0 for a synonym. */
  readonly distance: number;
}

/** A category's name counts in this many of its visible meanings, the most frequent first. */
const MAX_MEANINGS = 3;

/** The categories that have a meaning, by meaning. */
type Meanings = Map<number, string[]>;

/**
 * Finds the categories that a phrase is a kind of, by WordNet: `skillet` is a kind of `pan`. Used for the categories that no
 * built-in list has.
 */
export class KindIndex {
  readonly #hierarchy: NounHierarchy = nounHierarchy();
  readonly #own: Meanings;
  readonly #others: Meanings;
  /** The categories whose names are so general that only synonyms count as them. */
  readonly #vague: ReadonlySet<string>;

  /**
   * @param categories the categories to find, as written
   * @param others the categories that built-in lists have, which precede a more general one
   */
  constructor(categories: readonly string[], others: readonly string[]) {
    this.#vague = new Set(
      categories.filter((name) => nameVariants(name).some((words) => vagueWords().has(singularKey(words)))),
    );
    this.#own = this.#meanings(categories);
    this.#others = this.#meanings(others);
  }

  /**
   * Returns the categories of no built-in list that a phrase is a kind of.
   *
   * A single word counts by its most frequent meaning, a phrase of several words or one that ends in the category's name by any.
   * @param words the phrase
   * @param competing the categories of built-in lists that list the phrase
   */
  find(words: readonly string[], competing: readonly string[]): KindMatch | null {
    let best: KindMatch | null = null;
    const senses = this.#senses(words);
    // An `old man` is a plant too, but not in the usual meaning; `hard hat` has no usual one.
    const needsFirst =
      words.length > 1 && isAdjective(words[0]!) && senses.some(({ rank, isCounted }) => rank === 1 && isCounted);
    for (const { meaning, rank, isCounted, word } of senses) {
      if (needsFirst && rank > 1) continue;
      const ancestors = this.#ancestors(meaning);
      for (const [index, [found, distance]] of ancestors.entries()) {
        if (best && distance >= best.distance) break;
        if (distance > 0 && this.#isCompeting(found, competing)) break;
        const owners = this.#own.get(found)?.filter((owner) => distance === 0 || !this.#vague.has(owner)) ?? [];
        const isClear = words.length > 1 || (rank === 1 && isCounted) || this.#endsInName(word, found);
        if (owners.length === 0 || !isClear) continue;
        const isMoreSpecific = ancestors.slice(index + 1).some(([above]) => this.#isCompeting(above, competing));
        if (competing.length === 0 || distance === 0 || isMoreSpecific) best = { owners, word, distance };
        break;
      }
    }
    return best;
  }

  #isCompeting(meaning: number, competing: readonly string[]): boolean {
    return this.#others.get(meaning)?.some((other) => competing.includes(other)) ?? false;
  }

  /** Checks whether WordNet lists a phrase of several words: then it is what WordNet says, not a kind of its last word. */
  isKnown(words: readonly string[]): boolean {
    return this.#senses(words).length > 0;
  }

  /** Checks whether a phrase is a kind of a category that a built-in list has. */
  isKindOfOther(words: readonly string[]): boolean {
    return this.#senses(words).some(({ meaning }) =>
      this.#ancestors(meaning).some(([found]) => this.#others.has(found)),
    );
  }

  /** Returns the most frequent meaning of a word that a box can show, or its meanings if the most frequent one is not visible. */
  headMeanings(word: string): readonly number[] {
    const senses = this.#hierarchy.senses.get(word) ?? [];
    const [first] = senses;
    return first?.rank === 1 ? [first.meaning] : senses.map(({ meaning }) => meaning);
  }

  /** Checks whether a phrase has a meaning that is one of some meanings or more specific; null if WordNet lacks the phrase. */
  isBelow(words: readonly string[], meanings: readonly number[]): boolean | null {
    const senses = this.#senses(words);
    if (senses.length === 0) return null;
    return senses.some(({ meaning }) => this.#ancestors(meaning).some(([found]) => meanings.includes(found)));
  }

  #senses(words: readonly string[]): readonly Sense[] {
    const { senses } = this.#hierarchy;
    const found = senses.get(words.join('')) ?? senses.get(singularKey(words)) ?? [];
    // `blue jacket` is not WordNet's `bluejacket`, a sailor.
    if (words.length < 2 || !isAdjective(words[0]!)) return found;
    return found.filter(({ word }) => word.includes(' ') || word.includes('-'));
  }

  #endsInName(word: string, meaning: number): boolean {
    return this.#hierarchy.words[meaning]!.some((name) => name !== word && word.endsWith(name));
  }

  /** Returns a meaning and the more general ones with their distances, the nearest first. */
  #ancestors(meaning: number): readonly (readonly [meaning: number, distance: number])[] {
    const found = new Map([[meaning, 0]]);
    for (const [at, distance] of found)
      for (const parent of this.#hierarchy.parents[at]!) if (!found.has(parent)) found.set(parent, distance + 1);
    return [...found];
  }

  #meanings(categories: readonly string[]): Meanings {
    const found: Meanings = new Map();
    for (const category of categories) {
      const senses = nameVariants(category).map((words) => this.#senses(words).slice(0, MAX_MEANINGS));
      for (const { meaning } of new Set(senses.flat())) {
        const owners = found.get(meaning);
        if (!owners) found.set(meaning, [category]);
        else if (!owners.includes(category)) owners.push(category);
      }
    }
    return found;
  }
}
