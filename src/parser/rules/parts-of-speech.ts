import { createRequire } from 'node:module';
import type { PartOfSpeech } from 'wink-nlp';

/**
 * Tags the words of one sentence by wink-nlp's English model, which is loaded on first use (0.2 s, 30 MB).
 * @param words in lower case; hyphenated words are judged by their last part, words with other than Latin letters are `X`
 * @returns one universal part-of-speech tag a word
 */
export function partsOfSpeech(words: readonly string[]): PartOfSpeech[] {
  tagger ??= loadTagger();
  const { readDoc, its } = tagger;
  const spoken = words.map(winkForm);
  const tokens = readDoc(spoken.join(' ')).tokens();
  const spaces = tokens.out(its.precedingSpaces) as string[];
  const tags = tokens.out(its.pos) as PartOfSpeech[];
  // wink takes some words apart (`cannot`): the first part speaks for the word.
  const firstParts = tags.filter((_, k) => k === 0 || spaces[k] !== '');
  return spoken.map((word, k) => (word === placeholder ? 'X' : (firstParts[k] ?? 'X')));
}

/** Stands for a word that wink shall not see: it splits unusual ones, and keeps every new one for good. */
const placeholder = 'x';
const maxWordLength = 24;

/** What wink is given for a word. */
function winkForm(word: string): string {
  if (word === ',' || word === "'s") return word;
  const lastPart = word.slice(word.lastIndexOf('-') + 1);
  const latin = lastPart.normalize('NFD').replace(/\p{M}/gu, '');
  return latin.length <= maxWordLength && /^(?:[a-z]+|\d+)$/.test(latin) ? latin : placeholder;
}

type WinkNlp = ReturnType<typeof import('wink-nlp').default>;
let tagger: WinkNlp | undefined;

function loadTagger(): WinkNlp {
  const require = createRequire(import.meta.url);
  const winkNlp = require('wink-nlp') as typeof import('wink-nlp').default;
  const model = require('wink-eng-lite-web-model') as typeof import('wink-eng-lite-web-model').default;
  return winkNlp(model, ['pos']);
}
