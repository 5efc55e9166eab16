/** The bytes of JSON's structural characters. */
export const byte = {
  quote: 0x22,
  comma: 0x2c,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/** Returned instead of an index when the buffered bytes end before the value does. */
export const unfinished = -1;
/** Returned instead of an index when the value is nested too deeply. */
export const tooDeep = -2;

/**
 * The number of zero bytes that must follow the buffered bytes. They stop the loops below, so that these need not
 * compare their index with the end at every byte.
 */
export const sentinelBytes = 2;

const plain = 0;
const stop = 1;
const opens = 2;
const closes = 3;
const quotes = 4;
const escapes = 5;

const structureBytes = new Uint8Array(256);
structureBytes[0] = stop;
structureBytes[byte.quote] = quotes;
structureBytes[byte.openBrace] = structureBytes[byte.openBracket] = opens;
structureBytes[byte.closeBrace] = structureBytes[byte.closeBracket] = closes;

const stringBytes = new Uint8Array(256);
stringBytes[0] = stop;
stringBytes[byte.quote] = quotes;
stringBytes[byte.backslash] = escapes;

const delimiters = new Uint8Array(256);
for (const code of [0, 0x09, 0x0a, 0x0d, 0x20, byte.comma, byte.closeBracket, byte.closeBrace]) delimiters[code] = 1;

/**
 * Returns the index of the first byte from `at` on that is not white space, which may be the end of the buffered bytes.
 */
export function skipSpace(bytes: Buffer, at: number): number {
  let i = at;
  for (;;) {
    const code = bytes[i];
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return i;
    i++;
  }
}

/**
 * Returns the index after the string whose opening quote is at `from`.
 * @param end the end of the buffered bytes; `sentinelBytes` zeros follow it
 * @returns `unfinished` if the string does not end before `end`
 */
export function endOfString(bytes: Buffer, from: number, end: number): number {
  let i = from + 1;
  for (;;) {
    const kind = stringBytes[bytes[i] as number];
    if (kind === plain) i++;
    else if (kind === quotes) return i + 1;
    else if (kind === escapes) i += 2;
    else if (i >= end) return unfinished;
    else i++;
  }
}

/** Keys whose arrays and objects are skipped. */
export interface SkippedKeys {
  /** The keys, in quotes. */
  readonly keys: readonly Buffer[];
  /**
   * Receives the ranges inside the brackets of skipped values, as pairs of start and end indices in ascending order.
   */
  readonly cuts: number[];
}

/**
 * Returns the index after the value that starts at `from`. It only considers strings and nesting; `JSON.parse` checks
 * the rest.
 * @param end the end of the buffered bytes; `sentinelBytes` zeros follow it
 * @param maxDepth the maximum number of open brackets
 * @param skipped keys of the value itself to skip; their ranges are added to `cuts`
 * @returns `from` if there is no value, `unfinished` if it does not end before `end`, `tooDeep` if it is nested too
 * deeply
 */
export function endOfValue(bytes: Buffer, from: number, end: number, maxDepth: number, skipped?: SkippedKeys): number {
  const first = structureBytes[bytes[from] as number];
  if (first === quotes) return endOfString(bytes, from, end);
  if (first !== opens) return endOfScalar(bytes, from, end);
  let depth = 1;
  let i = from + 1;
  for (;;) {
    const kind = structureBytes[bytes[i] as number];
    if (kind === plain) i++;
    else if (kind === quotes) {
      let after = endOfString(bytes, i, end);
      if (skipped && depth === 1 && after > 0 && isSkippedKey(bytes, i, after, skipped)) {
        after = endOfSkippedValue(bytes, after, end, maxDepth, skipped);
      }
      if (after < 0) return after;
      i = after;
    } else if (kind === closes) {
      i++;
      if (--depth === 0) return i;
    } else if (kind === opens) {
      i++;
      if (++depth > maxDepth) return tooDeep;
    } else if (i >= end) return unfinished;
    else i++;
  }
}

function isSkippedKey(bytes: Buffer, from: number, after: number, skipped: SkippedKeys): boolean {
  for (const key of skipped.keys) {
    if (key.length === after - from && key.compare(bytes, from, after) === 0) return true;
  }
  return false;
}

/** Adds the value of the key that ends at `at` to the cuts, and returns the index after the value. */
function endOfSkippedValue(bytes: Buffer, at: number, end: number, maxDepth: number, { cuts }: SkippedKeys): number {
  const colon = skipSpace(bytes, at);
  if (colon >= end) return unfinished;
  if (bytes[colon] !== byte.colon) return at;
  const from = skipSpace(bytes, colon + 1);
  const after = endOfValue(bytes, from, end, maxDepth);
  if (after > from && structureBytes[bytes[from] as number] === opens) cuts.push(from + 1, after - 1);
  return after;
}

/**
 * Returns the index after a number or literal, which ends at a delimiter; `unfinished` if the delimiter is not
 * buffered.
 */
function endOfScalar(bytes: Buffer, from: number, end: number): number {
  let i = from;
  while (delimiters[bytes[i] as number] === 0) i++;
  return i < end ? i : unfinished;
}
