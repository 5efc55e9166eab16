import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { InputError, OptionError } from '../errors.js';

/** Which words name which category. */
export interface Vocabulary {
  /** `coco80`, `objects365`, or the file's name without folder and `.json`. */
  readonly name: string;
  /** Category name → synonyms; the order of the keys is the order of the classes. */
  readonly synonyms: ReadonlyMap<string, readonly string[]>;
}

const builtIns: readonly string[] = ['coco80', 'objects365'];
/** The largest vocabulary that is plausible: the whole of WordNet's nouns would take a quarter. */
const MAX_FILE_BYTES = 16 * 2 ** 20;

/**
 * Loads a built-in vocabulary, or a JSON file in the official form `{"category": ["synonym", …], …}`.
 *
 * @param nameOrPath `coco80`, `objects365`, or the path to a file of at most 16 MB
 * @throws OptionError where it is neither a built-in vocabulary nor a file
 * @throws InputError where the file is too large, no JSON, or not of that form
 */
export function loadVocabulary(nameOrPath: string): Vocabulary {
  if (builtIns.includes(nameOrPath)) {
    const file = new URL(`${nameOrPath}.json`, import.meta.url);
    return { name: nameOrPath, synonyms: new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')))) };
  }
  const size = statSync(nameOrPath, { throwIfNoEntry: false })?.size;
  if (size === undefined)
    throw new OptionError(
      'match',
      `unknown vocabulary '${nameOrPath}', expected one of ${builtIns.join(', ')} or a path to a JSON file of {name: [synonym, …]}`,
      { vocabulary: nameOrPath },
    );
  if (size > MAX_FILE_BYTES) throw new InputError(nameOrPath, 'a vocabulary of more than 16 MB');
  return { name: basename(nameOrPath, '.json'), synonyms: readSynonyms(nameOrPath) };
}

function readSynonyms(file: string): ReadonlyMap<string, readonly string[]> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new InputError(file, 'a vocabulary that is not a readable JSON file', undefined, { cause });
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new InputError(file, 'a vocabulary should be an object {name: [synonym, …]}');
  const entries = Object.entries(content);
  for (const [name, words] of entries)
    if (!Array.isArray(words) || !words.every((word) => typeof word === 'string'))
      throw new InputError(file, `the synonyms of '${name}' should be a list of strings`);
  return new Map(entries);
}
