import { editDistance, maxTypos } from '../language/edit-distance.js';
import { isDictionaryWord } from '../language/lemma.js';
import { memoize } from '../language/memoize.js';

/** A word of the training captions and how often it occurs. */
export type WordCount = readonly [word: string, count: number];

/**
 * Corrects the spelling of words that neither the dictionary nor the training captions have: `surfbord` → `surfboard`. It
 * chooses the most frequent of the nearest caption words; a word without a near one stays.
 */
export class Spelling {
  readonly #counts: ReadonlyMap<string, number>;
  readonly #byLetter = new Map<string, string[]>();
  readonly #corrected = memoize(cacheSize, (word) => this.#nearest(word) ?? word);

  /** @param words at least those that may be the result of a correction */
  constructor(words: Iterable<WordCount>) {
    this.#counts = new Map(words);
    for (const [word, count] of this.#counts) {
      if (count < targetCount || !isPlain(word)) continue;
      const bucket = this.#byLetter.get(word[0]!);
      if (bucket) bucket.push(word);
      else this.#byLetter.set(word[0]!, [word]);
    }
  }

  /** @param word lower case */
  correct(word: string): string {
    if ((this.#counts.get(word) ?? 0) >= knownCount || !isPlain(word) || isDictionaryWord(word) || word.endsWith('ly'))
      return word;
    return this.#corrected(word);
  }

  #nearest(word: string): string | undefined {
    if (word.length > longestWord) return undefined;
    const limit = maxTypos(word.length);
    let best: string | undefined;
    let bestCost = Number.POSITIVE_INFINITY;
    for (const other of this.#byLetter.get(word[0]!) ?? []) {
      if (Math.abs(other.length - word.length) > limit) continue;
      const distance = editDistance(word, other);
      if (distance > limit || (distance === 2 && word.length < 8)) continue;
      const cost = 10 * distance - Math.log(this.#counts.get(other)!);
      if (cost >= bestCost) continue;
      best = other;
      bestCost = cost;
    }
    return best;
  }
}

/** A word that occurs this often in captions is not a spelling error. */
const knownCount = 3;
/** Least occurrences of a word that replaces another. */
const targetCount = 8;
const longestWord = 24;
const cacheSize = 10_000;

const isPlain = (word: string) => /^[a-z]{4,}$/.test(word);
