import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RelflowError } from '../../src/errors.js';
import { Random } from '../../src/records/random.js';
import { binaryReaders } from './binaries.js';
import { labelingToolReaders } from './labeling-tools.js';
import type { Files, FuzzedReader } from './reader.js';
import { serviceReaders } from './services.js';
import { sourceReaders } from './sources.js';
import { textReaders } from './texts.js';

/** Every reader of files from elsewhere. */
export const readers: readonly FuzzedReader[] = [
  ...sourceReaders,
  ...labelingToolReaders,
  ...textReaders,
  ...binaryReaders,
  ...serviceReaders,
];

/** Returns the reader of a name. */
export function readerOf(name: string): FuzzedReader {
  const found = readers.find((reader) => reader.name === name);
  if (!found)
    throw new Error(`unknown reader '${name}', expected one of ${readers.map(({ name }) => name).join(', ')}`);
  return found;
}

/** Makes the n-th input of a reader; the same seed gives the same inputs. */
export async function makeInput(reader: FuzzedReader, seed: number, n: number): Promise<Files> {
  const digest = createHash('sha256').update(`${reader.name} ${seed} ${n}`).digest();
  return reader.make(new Random(digest.readUInt32LE()));
}

/** Result of one input: how the reader ended, and what is wrong with that. */
export interface Outcome {
  readonly refused: boolean;
  readonly problem: string | null;
}

/**
 * Gives an input to a reader.
 * @param folder emptied, and used for the files of the input
 */
export async function tryInput(reader: FuzzedReader, folder: string, files: Files): Promise<Outcome> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  try {
    await reader.read(folder, files);
    return { refused: false, problem: null };
  } catch (error) {
    if (error instanceof RelflowError) {
      const isShort = error.message.length < 5000;
      return { refused: true, problem: isShort ? null : `a message of ${error.message.length} characters` };
    }
    return { refused: true, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
