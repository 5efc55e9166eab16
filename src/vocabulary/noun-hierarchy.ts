import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { addToList } from '../records/add-to-list.js';

/** A meaning of a word. */
export interface Sense {
  /** Number of the meaning in the hierarchy. */
  readonly meaning: number;
  /** Position among the word's meanings, from 1 for the most frequent. */
  readonly rank: number;
  /** False for the first of several meanings whose order is arbitrary. */
  readonly isCounted: boolean;
  /** The word's spelling, with blanks and hyphens. */
  readonly word: string;
}

/** WordNet's nouns for things that a box can show, and which kinds are more specific than which. */
export interface NounHierarchy {
  /** Joined word (`hardhat` for `hard hat`) → its visible meanings, by rank. */
  readonly senses: ReadonlyMap<string, readonly Sense[]>;
  /** Meaning → the more general meanings. */
  readonly parents: readonly (readonly number[])[];
  /** Meaning → the number of more specific meanings; a meaning below two others counts only for the first. */
  readonly sizes: Int32Array;
  /** Meaning → its words. */
  readonly words: readonly (readonly string[])[];
}

let loaded: NounHierarchy | undefined;

/** Returns the hierarchy, which is read on first use and kept in memory. */
export function nounHierarchy(): NounHierarchy {
  loaded ??= parse(
    brotliDecompressSync(readFileSync(new URL('noun-hierarchy.txt.br', import.meta.url))).toString('utf8'),
  );
  return loaded;
}

/** Parses the text that `scripts/build-noun-hierarchy.ts` writes and describes. */
function parse(text: string): NounHierarchy {
  const senses = new Map<string, Sense[]>();
  const parents: number[][] = [];
  const words: string[][] = [];
  const path: number[] = [];
  const lines = text.trimEnd().split('\n');
  for (const [meaning, line] of lines.entries()) {
    const depth = Number.parseInt(line[0]!, 36);
    const [list, ...others] = line.slice(1).split('^');
    parents.push([...(depth > 0 ? [path[depth - 1]!] : []), ...others.map(Number)]);
    path[depth] = meaning;
    const own: string[] = [];
    for (const entry of list === '' ? [] : list!.split(',')) {
      const mark = entry.at(-1)!;
      const isMarked = mark === '!' || (mark >= '2' && mark <= '9');
      const word = isMarked ? entry.slice(0, -1) : entry;
      own.push(word);
      const sense = { meaning, rank: isMarked && mark !== '!' ? Number(mark) : 1, isCounted: mark !== '!', word };
      const key = word.replace(/[ '-]/g, '');
      addToList(senses, key, sense);
    }
    words.push(own);
  }
  for (const list of senses.values()) if (list.length > 1) list.sort((a, b) => a.rank - b.rank);
  const sizes = new Int32Array(lines.length);
  for (let meaning = lines.length - 1; meaning > 0; meaning--) {
    const parent = parents[meaning]![0];
    // The first parent precedes its children, except at depth 0, where a number after `^` stands in.
    if (parent !== undefined && parent < meaning) sizes[parent]! += 1 + sizes[meaning]!;
  }
  return { senses, parents, sizes, words };
}
