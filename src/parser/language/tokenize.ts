import { memoize } from './memoize.js';

/** The part of a caption that parsers read, in UTF-16 units: a long paragraph. They ignore the rest. */
export const maxCaptionLength = 2000;

/** A word or a punctuation mark that separates words. */
export interface Token {
  /** The word in lower case, with straight apostrophes; `,` for every mark inside a sentence. */
  readonly text: string;
  /** UTF-16 offset in the caption. */
  readonly start: number;
  /** UTF-16 offset in the caption, exclusive. */
  readonly end: number;
}

/**
 * Splits a caption into sentences and words. The endings `'s` and `'` become separate words, hyphenated words are not split,
 * quotes are dropped, and any other mark inside a sentence counts as a comma. Sentences end at `.!?;` and line breaks.
 * @param maxLength number of UTF-16 units to read; a word that crosses the limit is dropped
 * @returns sentences in reading order, each with at least one token
 */
export function tokenize(caption: string, maxLength: number): Token[][] {
  return (caption.length <= maxLength && splitSimpleCaption(caption)) || splitSentences(caption, maxLength);
}

/** ASCII code → kind of the characters that most captions consist of; `tokenPattern` handles all others. */
const characterKinds = new Uint8Array(128);
const KIND = { other: 0, blank: 1, letter: 2, comma: 3, stop: 4 } as const;
for (const [characters, kind] of [
  [' ', KIND.blank],
  ['abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', KIND.letter],
  [',', KIND.comma],
  ['.!?;\n', KIND.stop],
] as const)
  for (const character of characters) characterKinds[character.charCodeAt(0)] = kind;

/**
 * Fast twin of `splitSentences`, several times as fast; undefined when the caption has characters other than those of
 * `characterKinds`.
 */
function splitSimpleCaption(caption: string): Token[][] | undefined {
  const sentences: Token[][] = [];
  let sentence: Token[] = [];
  const lower = caption.toLowerCase();
  let start = -1;
  for (let at = 0; at <= caption.length; at++) {
    const kind = at < caption.length ? characterKinds[caption.charCodeAt(at)] : KIND.blank;
    if (kind === KIND.letter) {
      if (start < 0) start = at;
      continue;
    }
    if (!kind) return undefined;
    if (start >= 0) sentence.push({ text: canonical(lower.slice(start, at)), start, end: at });
    start = -1;
    if (kind === KIND.comma) sentence.push({ text: ',', start: at, end: at + 1 });
    else if (kind === KIND.stop && sentence.length > 0) {
      sentences.push(sentence);
      sentence = [];
    }
  }
  if (sentence.length > 0) sentences.push(sentence);
  return sentences;
}

function splitSentences(caption: string, maxLength: number): Token[][] {
  const sentences: Token[][] = [[]];
  // One unit beyond the limit shows whether a word ends there or crosses it.
  for (const match of caption.slice(0, maxLength + 1).matchAll(tokenPattern)) {
    const { possessive, contraction, word, stop } = match.groups!;
    const start = match.index;
    const end = start + match[0].length;
    if (end > maxLength) break;
    if (stop !== undefined) sentences.push([]);
    else
      sentences.at(-1)!.push({
        text: possessive
          ? "'s"
          : contraction
            ? contractions[contraction.slice(1).toLowerCase()]!
            : word
              ? canonical(normalizeWord(word))
              : separatorText(match[0]),
        start,
        end,
      });
  }
  return sentences.filter((sentence) => sentence.length > 0);
}

/** Returns one string object for equal words: later look-ups of the word need not hash and compare its letters again. */
const canonical = memoize(20_000, (word: string) => word);

const normalizeWord = (word: string) => word.toLowerCase().replace(/[’ʼ]/g, "'").replace(/[‐‑]/g, '-');
const separatorText = (mark: string) => (mark === '&' ? 'and' : ',');

const letter = String.raw`[\p{L}\p{M}\p{N}]`;
/** `'s`, also after a blank as in tokenized captions, and the apostrophe of `boys'`. */
const possessive = `(?:['’ʼ]s|(?<=s)['’ʼ])(?!${letter})`;
/** The end of "they're": a word of its own. */
const contraction = `(?<=\\b(?:they|we|you|I|who|that|there))['’ʼ](?:re|ve|ll|m|d)(?!${letter})`;
const contractions: Readonly<Record<string, string>> = { re: 'are', ve: 'have', ll: 'will', m: 'am', d: 'would' };
/** The alternatives are tried in this order; characters that match none of them (blanks, quotes) are skipped. */
const tokenPattern = new RegExp(
  [
    `(?<=${letter} ?)(?<possessive>${possessive})`,
    `(?<contraction>${contraction})`,
    String.raw`(?<word>\p{N}+(?:[.,:]\p{N}+)+|${letter}+(?:(?!${possessive}|${contraction})['’ʼ‐‑-]${letter}+)*)`,
    String.raw`(?<stop>[.!?;…\n\r]+)`,
    '[^\\s"“”\'‘’`*]',
  ].join('|'),
  'giu',
);
