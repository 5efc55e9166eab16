import { closedClass } from './closed-classes.js';
import { isDictionaryWord } from './lemma.js';
import { memoize } from './memoize.js';
import { startsPreposition } from './prepositions.js';
import { wordSet } from './word-set.js';

/**
 * Checks whether the words of a caption are English: written in Latin letters, and not mostly function words of German, French,
 * Spanish and other languages, or words that no list has. Captions of fewer than three words pass unless another script has them.
 */
export function isEnglish(words: readonly string[]): boolean {
  let latin = 0;
  let letters = 0;
  let known = 0;
  let foreign = 0;
  let english = 0;
  for (const word of words) {
    const origin = originOf(word);
    if (origin === 'none') continue;
    letters++;
    if (origin === 'other-script') continue;
    latin++;
    if (origin === 'foreign') foreign++;
    else if (origin !== 'unknown') known++;
    if (origin === 'function-word') english++;
  }
  if (letters === 0) return true;
  if (latin * 2 < letters) return false;
  if (latin < 3) return true;
  if (foreign > 0 && foreign >= english) return false;
  return known * 2 >= latin || english * 4 >= latin;
}

/** Where a word is from: `function-word` and `known` are English, `none` has no letters. */
type Origin = 'none' | 'other-script' | 'foreign' | 'function-word' | 'known' | 'unknown';

const originOf = memoize(20_000, (word: string): Origin => {
  if (!/\p{L}/u.test(word)) return 'none';
  if (!/[a-z\u00c0-\u024f]/.test(word)) return 'other-script';
  if (functionWords.has(word)) return 'foreign';
  if (closedClass(word) !== undefined || startsPreposition(word)) return 'function-word';
  return isDictionaryWord(word.slice(word.lastIndexOf('-') + 1)) ? 'known' : 'unknown';
});

// cspell:disable
/** Function words of other languages that English lacks. */
const functionWords =
  wordSet(`ein eine einen einem einer der und auf mit ist im sitzt neben une le les des du et sur avec dans assis est un el los las
  una unos con por sobre está il lo gli della di che su een het op met van naar um uma com em ao na`);
// cspell:enable
