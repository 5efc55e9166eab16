import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { InputError, OptionError } from '../errors.js';
import { decodeJson, decodeText } from '../files/json/decode-json.js';
import { formatJsonValue } from '../files/json/json-value.js';

/** A list of categories, each with the words that name it. */
export interface Vocabulary {
  /** `coco80`, `objects365`, or the file's name without folder and `.json`. */
  readonly name: string;
  /** Category name → synonyms; the order of the keys is the order of the classes. */
  readonly synonyms: ReadonlyMap<string, readonly string[]>;
}

const builtIns: readonly string[] = ['coco80', 'objects365'];
/** Limit for vocabulary files; all nouns of WordNet take a quarter of it. */
const MAX_FILE_BYTES = 16 * 2 ** 20;
const expectedFile = 'a vocabulary {category: [synonym, …]}';

/**
 * Loads a built-in vocabulary, or a JSON file in the official format `{"category": ["synonym", …], …}`.
 *
 * @param nameOrPath `coco80`, `objects365`, or the path to a file of at most 16 MiB
 * @throws OptionError when it is neither a built-in vocabulary nor a file
 * @throws InputError when the file is too large, is not valid JSON, or has another format
 *
 * @example
 * ```ts
 * import { loadVocabulary } from 'relflow';
 *
 * const { synonyms } = loadVocabulary('coco80');
 * console.log(synonyms.size, synonyms.get('couch')); // 80, ['couch', …]
 * ```
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
      `unknown vocabulary '${nameOrPath}', expected one of ${builtIns.join(', ')} or a path to a JSON file of {category: [synonym, …]}`,
      { vocabulary: nameOrPath },
    );
  if (size > MAX_FILE_BYTES)
    throw new InputError(nameOrPath, `${size} bytes, expected a vocabulary of at most ${MAX_FILE_BYTES} bytes`);
  return { name: basename(nameOrPath, '.json'), synonyms: readSynonyms(nameOrPath) };
}

function readSynonyms(file: string): ReadonlyMap<string, readonly string[]> {
  const content = decodeJson(file, decodeText(file, readFileSync(file), MAX_FILE_BYTES), expectedFile);
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new InputError(file, `expected ${expectedFile}, found ${formatJsonValue(content)}`);
  const entries = Object.entries(content);
  for (const [name, words] of entries)
    if (!Array.isArray(words) || !words.every((word) => typeof word === 'string'))
      throw new InputError(
        file,
        `expected a list of strings as synonyms of '${name}', found ${formatJsonValue(words)}`,
      );
  return new Map(entries);
}
