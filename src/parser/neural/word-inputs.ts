import { isAdjective, isCompound, isNoun, isVerb, nounLemma, verbLemma } from '../language/lemma.js';
import { wordSet } from '../language/word-set.js';

/** Rows of the table of affixes: an affix has the row of its hash. */
export const affixRows = 8192;
/** Rows of the table of shapes. */
export const shapeRows = 128;

/** Features of a word's spelling. */
export interface WordForm {
  /** Rows of the table of affixes: endings of 2, 3 and 4 letters, beginnings of 3 and 4. */
  readonly affixes: readonly number[];
  /** Row of the table of shapes: its possible word classes, its ending, digits. */
  readonly shape: number;
}

/** Returns the features of a word's spelling. @param word lower case */
export function wordForm(word: string): WordForm {
  const affix = (kind: string, text: string) => hash(kind + text) % affixRows;
  return {
    affixes: [
      affix('-2', word.slice(-2)),
      affix('-3', word.slice(-3)),
      affix('-4', word.slice(-4)),
      affix('3-', word.slice(0, 3)),
      affix('4-', word.slice(0, 4)),
    ],
    shape: shape(word),
  };
}

function shape(word: string): number {
  const singular = nounLemma(word);
  const noun = isNoun(word) || isNoun(singular) ? 1 : 0;
  const verb = isVerb(verbLemma(word)) ? 2 : 0;
  const adjective = isAdjective(word) ? 4 : 0;
  const plural = noun && singular !== word ? 8 : 0;
  const ending = word.endsWith('ing') ? 16 : word.endsWith('ed') ? 32 : 0;
  const odd = /^\d/.test(word) ? 48 : /^[^a-z]/.test(word) ? 64 : word.includes('-') ? 80 : 0;
  return (noun + verb + adjective + plural + ending + odd) % shapeRows;
}

/** 32-bit FNV-1a hash. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let k = 0; k < text.length; k++) h = Math.imul(h ^ text.charCodeAt(k), 0x01000193);
  return h >>> 0;
}

/** Returns for each word whether WordNet lists it as one noun with the word before (1), after (2), both (3) or neither (0). */
export function compoundFlags(words: readonly string[]): Uint8Array {
  const flags = new Uint8Array(words.length);
  for (let k = 0; k + 1 < words.length; k++)
    if (isCompound(words[k]!, words[k + 1]!)) {
      flags[k]! |= 2;
      flags[k + 1]! |= 1;
    }
  return flags;
}

/** Returns the lemma of a word that may be a predicate's verb: `riding` → `ride`; undefined for other words. */
export function verbOf(word: string): string | undefined {
  if (word.length < 3 || auxiliaries.has(word)) return undefined;
  const lemma = verbLemma(word);
  return isVerb(lemma) ? lemma : undefined;
}

const auxiliaries = wordSet('are was were been being has have had having does did');
