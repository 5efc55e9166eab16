import { open } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { decodeJson, decodeText } from './json/decode-json.js';

/** The maximum size of files that are read as a whole, unless a reader says otherwise. */
const defaultBytes = 16 * 1024 * 1024;

/**
 * Reads a text file that must be small as a whole: UTF-8 or UTF-16, gzip or not.
 * @param maxBytes the maximum size of the file, and of its text. Default 16 MiB
 * @throws InputError if the path is not a file, or the file is too large or not text; the system's error if it cannot be read
 */
export async function readSmallFile(file: string, maxBytes: number = defaultBytes): Promise<string> {
  const handle = await open(file);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new InputError(file, 'is not a file');
    if (found.size > maxBytes) throw new InputError(file, `has ${found.size} bytes, expected at most ${maxBytes}`);
    return decodeText(file, await handle.readFile(), maxBytes);
  } finally {
    await handle.close();
  }
}

/**
 * Reads a JSON file that must be small as a whole.
 * @param maxBytes the maximum size of the file. Default 16 MiB
 * @param expected what the file should be, for messages
 * @throws as `readSmallFile`; InputError that names the kind of a file that is not JSON, or nested more than 512 brackets deep
 */
export async function readSmallJson(
  file: string,
  maxBytes: number = defaultBytes,
  expected?: string,
): Promise<unknown> {
  return decodeJson(file, await readSmallFile(file, maxBytes), expected);
}
