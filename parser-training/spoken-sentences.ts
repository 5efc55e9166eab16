import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { captionSentences } from '../src/parser/language/caption-sentences.js';
import { withoutQuotes } from '../src/parser/rules/without-quotes.js';
import { readCaptions } from './read-captions.js';

/**
 * Returns the distinct sentences of captions, each as the words that the rules tag, in the order of their first appearance.
 * @param excluded captions whose sentences are left out wherever they appear
 */
export function spokenSentences(captions: Iterable<string>, excluded: Iterable<string> = []): string[][] {
  const known = new Set<string>();
  for (const caption of excluded) for (const words of sentencesOf(caption)) known.add(words.join(' '));
  const found: string[][] = [];
  for (const caption of captions)
    for (const words of sentencesOf(caption)) {
      const key = words.join(' ');
      if (known.has(key)) continue;
      known.add(key);
      found.push(words);
    }
  return found;
}

const sentencesOf = (caption: string) =>
  captionSentences(caption).map(({ tokens }) => withoutQuotes(caption, tokens).map(({ text }) => text));

/**
 * Returns the sentences from which the models of syntax learn: those of FACTUAL's train split, of the files of captions and of
 * descriptions.txt, without any of the captions that the parser is scored on or that the confidence is fitted to: a model that knows
 * these reads them better than others, and the confidence would be too high.
 * @param folder has train.csv
 */
export function syntaxSentences(folder: string, captionFiles: readonly string[]): string[][] {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
  const learned = [join(here, 'descriptions.txt'), join(folder, 'train.csv'), ...captionFiles];
  const judged = [here, fixtures].flatMap((at) => readdirSync(at).map((name) => join(at, name)));
  return spokenSentences(
    learned.filter((file) => existsSync(file)).flatMap(readCaptions),
    judged.filter((file) => file.endsWith('.csv')).flatMap(readCaptions),
  );
}
