import { InputError } from '../../errors.js';
import { decodeJson } from '../../files/json/decode-json.js';
import { readSmallFile } from '../../files/read-small-file.js';

/**
 * Reads a list of names: a JSON list of texts, or a text with a name on each line. Empty lines are ignored.
 * @throws InputError when the file is neither, or has no name
 */
export async function readNames(file: string): Promise<readonly string[]> {
  const text = await readSmallFile(file);
  const value = text.trimStart().startsWith('[') ? decodeJson(file, text) : text.split(/\r?\n/);
  const names = Array.isArray(value) ? value : [];
  if (!names.every((name) => typeof name === 'string')) throw new InputError(file, 'expected a list of texts');
  const kept = (names as string[]).map((name) => name.trim()).filter((name) => name !== '');
  if (kept.length === 0)
    throw new InputError(file, 'has no names, expected a JSON list of texts or a name on each line');
  return kept;
}
