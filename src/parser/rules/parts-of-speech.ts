import { createRequire } from 'node:module';
import type { PartOfSpeech } from 'wink-nlp';
import { memoize } from '../language/memoize.js';

/**
 * Tags the words of one sentence with wink-nlp's English model, which is loaded on first use (0.2 s, 30 MB).
 * @param words lower-case words; a hyphenated word gets the tag of its last part, a word with non-Latin letters gets `X`
 * @returns one universal part-of-speech tag per word
 */
export function partsOfSpeech(words: readonly string[]): PartOfSpeech[] {
  tagger ??= loadTagger();
  const { readDoc, its } = tagger;
  const spoken = words.map(winkForm);
  const tokens = readDoc(spoken.join(' ')).tokens();
  const tags = tokens.out(its.pos) as PartOfSpeech[];
  const firstParts =
    tags.length === spoken.length ? tags : firstTags(tags, tokens.out(its.precedingSpaces) as string[]);
  return spoken.map((word, k) => (word === placeholder ? 'X' : (firstParts[k] ?? 'X')));
}

/** wink splits some words (`cannot`): the tag of the first part counts for the word. */
const firstTags = (tags: readonly PartOfSpeech[], spaces: readonly string[]) =>
  tags.filter((_, k) => k === 0 || spaces[k] !== '');

/** Replaces words that wink must not see: it splits unusual words and never frees a new one from memory. */
const placeholder = 'x';
const maxWordLength = 24;

/** Returns the form of a word that wink tags. */
const winkForm = memoize(20_000, (word: string): string => {
  if (word === ',' || word === "'s") return word;
  const lastPart = word.slice(word.lastIndexOf('-') + 1);
  const latin = lastPart.normalize('NFD').replace(/\p{M}/gu, '');
  return latin.length <= maxWordLength && /^(?:[a-z]+|\d+)$/.test(latin) ? latin : placeholder;
});

type WinkNlp = ReturnType<typeof import('wink-nlp').default>;
let tagger: WinkNlp | undefined;

function loadTagger(): WinkNlp {
  const require = createRequire(import.meta.url);
  const winkNlp = require('wink-nlp') as typeof import('wink-nlp').default;
  const model = require('wink-eng-lite-web-model') as typeof import('wink-eng-lite-web-model').default;
  return winkNlp(model, ['pos']);
}
