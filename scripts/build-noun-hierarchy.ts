/** Writes `src/vocabulary/noun-hierarchy.txt.br` from WordNet: `npx tsx scripts/build-noun-hierarchy.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { readWordNet, type Synset, type WordNet } from '../src/parser/language/lexicon/wordnet.js';
import { exclusionFilter } from './build-vocabulary.js';

/**
 * WordNet's fields of things that a box can show, with their most general words: animals, artifacts, parts of the body, food, places, natural objects, people,
 * natural phenomena, plants, substances (lexnames(5)).
 */
const visibleFields = new Set(['03', '05', '06', '08', '13', '15', '17', '18', '19', '20', '27']);

/** Meanings of a word beyond this rank are rare. */
const MAX_RANK = 9;

/**
 * Returns the visible meanings of WordNet as a tree, one meaning per line, each below a more general one:
 * `depth words [^line…]`. The depth is in base 36; `^line` numbers other, more general meanings. Words are joined by commas. A
 * digit after a word is the rank of this meaning among those of the word, if not the first. `!` marks a first meaning of several
 * whose order is arbitrary, because WordNet has not counted them.
 */
export function buildNounHierarchy(): string {
  const wordNet = readWordNet('noun');
  const { tasteless } = JSON.parse(readFileSync(new URL('vocabulary-synsets.json', import.meta.url), 'utf8'));
  const isExcluded = exclusionFilter(tasteless);
  const isVisible = ({ isInstance, field }: Synset) => !isInstance && visibleFields.has(field);
  const visible = new Map([...wordNet.synsets].filter(([, synset]) => isVisible(synset)));
  const parents = new Map<string, string[]>();
  for (const [id, { hyponyms }] of visible)
    for (const child of hyponyms) if (visible.has(child)) parents.set(child, [...(parents.get(child) ?? []), id]);
  const textOf = (synset: Synset) =>
    isExcluded('', [synset])
      ? ''
      : writtenWords(synset, wordNet)
          .filter((word) => !isExcluded(stripMarks(word), []))
          .join(',');
  const texts = new Map([...visible].map(([id, synset]) => [id, textOf(synset)]));

  const lines: string[] = [];
  const lineOf = new Map<string, number>();
  const others: [line: number, id: string][] = [];
  /** Meanings without words that have none below them are left out. */
  const hasWords = new Map<string, boolean>();
  const needed = (id: string): boolean => {
    const known = hasWords.get(id);
    if (known !== undefined) return known;
    hasWords.set(id, false);
    const below = visible.get(id)!.hyponyms.filter((child) => visible.has(child));
    const result = texts.get(id) !== '' || below.map(needed).some(Boolean);
    hasWords.set(id, result);
    return result;
  };
  const write = (id: string, depth: number) => {
    if (!needed(id)) return;
    lineOf.set(id, lines.length);
    for (const other of (parents.get(id) ?? []).slice(1)) others.push([lines.length, other]);
    lines.push(`${depth.toString(36)}${texts.get(id)}`);
    for (const child of visible.get(id)!.hyponyms) if (parents.get(child)?.[0] === id) write(child, depth + 1);
  };
  for (const id of visible.keys()) if (!parents.has(id)) write(id, 0);
  for (const [line, id] of others) lines[line] += `^${lineOf.get(id)}`;
  return `${lines.join('\n')}\n`;
}

/** Checks for the name of a biological group: `genus canis`. */
const isTaxon = (word: string) =>
  /^(?:genus|(?:sub|super|infra)?(?:family|order|class|kingdom)|(?:sub)?phylum|division|tribe) /i.test(word);

const stripMarks = (word: string) => word.replace(/[0-9!]+$/, '');

/** Returns the words of a meaning in lower case with their ranks, without Latin names and words that are not plain. */
function writtenWords({ id, words }: Synset, wordNet: WordNet): string[] {
  if (words.some(isTaxon)) return [];
  return words.flatMap((written) => {
    const word = written.toLowerCase();
    if (!/^[a-z][a-z' -]*[a-z]$/.test(word) || isTaxon(word)) return [];
    // The last word of a compound is a noun itself, except in Latin names; those have a capital first.
    if (word.includes(' ') && !wordNet.words.has(word.slice(word.lastIndexOf(' ') + 1))) return [];
    const { senses, seen } = wordNet.words.get(word)!;
    const rank = senses.indexOf(id) + 1;
    if (rank > MAX_RANK) return [];
    if (rank > 1) return [`${word}${rank}`];
    return [senses.length > 1 && seen === 0 ? `${word}!` : word];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(
    new URL('../src/vocabulary/noun-hierarchy.txt.br', import.meta.url),
    brotliCompressSync(buildNounHierarchy(), {
      params: { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS },
    }),
  );
