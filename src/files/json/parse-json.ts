import { afterString, nonFiniteAsNull } from './non-finite-as-null.js';

/**
 * Parses JSON as `JSON.parse` does, with two differences: a whole number in a field that a JavaScript number cannot
 * hold exactly, such as a 64-bit id, becomes its digits as a string; Python's `NaN` and `Infinity` become null, and
 * infinite in a field `score`.
 * @throws SyntaxError if the text is not JSON
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return JSON.parse(nonFiniteAsNull(longIntegersAsText(text)));
  }
  return hasLongInteger(value, 0) ? JSON.parse(longIntegersAsText(text)) : value;
}

/** The maximum number of brackets of a JSON value that are open at once. */
export const maxJsonDepth = 512;

/** A JSON value that is nested too deeply: functions that follow its nesting would exhaust the stack. */
class NestingError extends SyntaxError {}

/** Returns whether `parseNestedJson` refused a text because of its nesting; the message is then `is nested …`. */
export function isTooDeep(error: unknown): error is SyntaxError {
  return error instanceof NestingError;
}

/**
 * Parses JSON whose nesting has not been checked, as `parseJson` does.
 * @throws SyntaxError if the text is not JSON or more than `maxJsonDepth` brackets are open
 */
export function parseNestedJson(text: string): unknown {
  if (text.length > maxJsonDepth) checkDepth(text);
  return parseJson(text);
}

function checkDepth(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) i = afterString(text, i) - 1;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > maxJsonDepth) throw new NestingError(`is nested more than ${maxJsonDepth} brackets deep`);
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
}

/**
 * Returns whether a whole number in a value was too long to be exact. A look at the values takes a third of the time of
 * a search for digits in their text. What is nested more deeply than `maxJsonDepth` counts as possible.
 */
function hasLongInteger(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  if (typeof value !== 'object' || value === null) return false;
  if (depth > maxJsonDepth) return true;
  if (Array.isArray(value)) {
    for (const element of value) if (hasLongInteger(element, depth + 1)) return true;
    return false;
  }
  for (const key in value) if (hasLongInteger((value as Record<string, unknown>)[key], depth + 1)) return true;
  return false;
}

const longIntegerHere = /(:\s*)(-?\d{16,})(?=[\s,}]|$)/y;

/** Puts long integers after a colon, outside of strings, into quotes. */
function longIntegersAsText(json: string): string {
  const parts: string[] = [];
  let done = 0;
  for (let i = 0; i < json.length; ) {
    if (json[i] === '"') i = afterString(json, i);
    else if (json[i] !== ':') i++;
    else {
      longIntegerHere.lastIndex = i;
      const [found, colon, digits] = longIntegerHere.exec(json) ?? [];
      if (found !== undefined && !Number.isSafeInteger(Number(digits))) {
        parts.push(json.slice(done, i), `${colon}"${digits}"`);
        done = i + found.length;
      }
      i += found?.length ?? 1;
    }
  }
  parts.push(json.slice(done));
  return parts.join('');
}
