import { readFileSync, statSync } from 'node:fs';
import { InputError, OptionError } from '../errors.js';
import { decodeJson, decodeText } from '../files/json/decode-json.js';
import { fieldsOf, formatJsonValue } from '../files/json/json-value.js';

/** A relation text, and the categories that it fits. */
export interface ListedPredicate {
  readonly predicate: string;
  /** Categories of subjects, in any usual spelling. Default: all. */
  readonly subjects?: readonly string[];
  /** Categories of objects. Default: all. */
  readonly objects?: readonly string[];
}

const MAX_FILE_BYTES = 16 * 2 ** 20;
const FORMS =
  'expected one predicate a line, or JSON: ["on", …], [{"predicate", "subjects", "objects"}, …], {"<subject>": {"<object>": ["on", …]}} or {"relationship_freq": {"on": 100, …}}';

/**
 * Reads a list of predicates, such as those of Visual Genome, HICO-DET, PSG or one's own. The content decides its form:
 *
 * - text with one predicate a line; numbers at the beginning of lines, as in HICO-DET's list, are left out;
 * - a JSON list of texts, or of `{predicate, subjects, objects}` with the categories that it fits;
 * - `{"<subject category>": {"<object category>": ["predicate", …]}}`, as RLIPv2 counts them in Visual Genome;
 * - `{"relationship_freq": {"predicate": count}}`, which `relflow export --format rlipv2-frequencies` writes.
 *
 * Predicates are written in lower case, with blanks instead of `_`.
 *
 * @param minCount leaves out predicates that a file of counts has less often. Default 1
 * @throws OptionError when the file does not exist
 * @throws InputError when it has none of these forms or no predicate
 *
 * @example
 * ```ts
 * import { candidates, loadPredicates } from 'relflow';
 *
 * const operator = candidates({ predicates: loadPredicates('vg150-predicates.txt') });
 * ```
 */
export function loadPredicates(file: string, minCount = 1): ListedPredicate[] {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new OptionError('candidates', `no file ${file}, ${FORMS}`, { predicates: file });
  if (size > MAX_FILE_BYTES)
    throw new InputError(file, `${size} bytes, expected a list of predicates of at most ${MAX_FILE_BYTES} bytes`);
  const text = decodeText(file, readFileSync(file), MAX_FILE_BYTES);
  const found = /^\s*[[{]/.test(text) ? readJson(file, decodeJson(file, text, FORMS), minCount) : readLines(text);
  const named = found.filter(({ predicate }) => predicate !== '');
  if (named.length === 0) throw new InputError(file, `has no predicate; ${FORMS}`);
  return named;
}

const readLines = (text: string): ListedPredicate[] =>
  text.split('\n').map((line) => ({ predicate: normalPredicate(line.replace(/^\s*\d+[\s.:)]+/, '')) }));

function readJson(file: string, content: unknown, minCount: number): ListedPredicate[] {
  if (Array.isArray(content)) return content.map((entry) => readEntry(file, entry));
  const { relationship_freq: counts } = fieldsOf(content);
  if (counts !== undefined)
    return Object.entries(fieldsOf(counts)).flatMap(([predicate, count]) =>
      typeof count === 'number' && count >= minCount ? [{ predicate: normalPredicate(predicate) }] : [],
    );
  return Object.entries(fieldsOf(content)).flatMap(([subject, objects]) =>
    Object.entries(fieldsOf(objects)).flatMap(([object, predicates]) => {
      if (!Array.isArray(predicates))
        throw new InputError(file, `found ${formatJsonValue(predicates)} for '${subject}' and '${object}'; ${FORMS}`);
      return predicates.map((predicate) => ({
        ...readEntry(file, predicate),
        subjects: [subject],
        objects: [object],
      }));
    }),
  );
}

function readEntry(file: string, entry: unknown): ListedPredicate {
  if (typeof entry === 'string') return { predicate: normalPredicate(entry) };
  const { predicate, subjects, objects } = fieldsOf(entry);
  const areNames = [subjects, objects].every(
    (names) => names === undefined || (Array.isArray(names) && names.every((name) => typeof name === 'string')),
  );
  if (typeof predicate !== 'string' || !areNames)
    throw new InputError(file, `found ${formatJsonValue(entry)}; ${FORMS}`);
  return {
    predicate: normalPredicate(predicate),
    ...(subjects !== undefined && { subjects: subjects as string[] }),
    ...(objects !== undefined && { objects: objects as string[] }),
  };
}

/** Returns a predicate as texts of candidates are written: lower case, with single blanks. */
export const normalPredicate = (predicate: string): string =>
  predicate.toLowerCase().replaceAll('_', ' ').replace(/\s+/g, ' ').trim();
