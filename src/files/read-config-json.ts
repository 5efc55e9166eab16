import { stat } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { readSmallJson } from './read-small-file.js';

/** In bytes. */
const MAX_CONFIG = 1 << 20;

/**
 * Reads a JSON file with a configuration.
 * @param expected what the file should be, for messages
 * @throws as `readSmallJson`; InputError if the file does not exist or is larger than 1 MiB
 */
export async function readConfigJson(file: string, expected: string): Promise<unknown> {
  const found = await stat(file).catch(() => null);
  if (!found?.isFile()) throw new InputError(file, 'no such file');
  if (found.size > MAX_CONFIG)
    throw new InputError(file, `has ${found.size} bytes, expected a configuration of at most ${MAX_CONFIG}`);
  return readSmallJson(file, MAX_CONFIG, expected);
}
