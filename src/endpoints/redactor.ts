/** Shorter runs of a secret's characters are not removed: they occur by chance. */
const SHORTEST = 8;
/** A run of this many characters of a form of the secret is removed even if the rest of it is missing. */
const PIECE = 12;
const REPLACEMENT = '[token]';

/**
 * Returns a function that removes a secret from a text, since servers may echo it: as it is, backwards, or in base64,
 * hexadecimal, decimal, percent or escaped characters, in either case, with other characters in between, whole or in pieces of
 * at least 12 characters.
 *
 * Letters and digits alone are compared, so that separators, padding and both alphabets of base64 make no difference.
 */
export function redactor(secret: string | undefined): (text: string) => string {
  if (secret === undefined || secret.length < 4) return (text) => text;
  const pieces = piecesOf(secret);
  return (text) => {
    const plain = text.replaceAll(secret, REPLACEMENT);
    return pieces.size === 0 ? plain : withoutPieces(plain, pieces);
  };
}

/**
 * Returns a function that removes a secret from every text of a JSON value, keys included. A secret that is only a word is left
 * in, since captions consist of words.
 */
export function valueRedactor(secret: string | undefined): (value: unknown) => unknown {
  if (secret === undefined || secret.length < SHORTEST || /^[a-z]{1,15}$/i.test(secret)) return (value) => value;
  const redact = redactor(secret);
  const visit = (value: unknown): unknown => {
    if (typeof value === 'string') return redact(value);
    if (Array.isArray(value)) return value.map(visit);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [redact(key), visit(inner)]));
  };
  return visit;
}

/** Returns the runs of letters and digits of all forms of a secret, by their length. */
function piecesOf(secret: string): Map<number, Set<string>> {
  const pieces = new Map<number, Set<string>>();
  for (const form of formsOf(secret)) {
    const text = squeeze(form);
    const length = Math.min(PIECE, text.length);
    if (length < SHORTEST) continue;
    const known = pieces.get(length) ?? new Set();
    pieces.set(length, known);
    for (let at = 0; at + length <= text.length; at++) known.add(text.slice(at, at + length));
  }
  return pieces;
}

function formsOf(secret: string): string[] {
  const codes = [...secret].map((character) => character.charCodeAt(0));
  const hex = codes.map((code) => code.toString(16).padStart(2, '0'));
  const encoded = [secret, ...base64Forms(secret)];
  const forms = [
    ...encoded,
    ...base64Forms(Buffer.from(secret).toString('base64')),
    hex.join(''),
    // UTF-16, as in JSON's escapes without their letter.
    hex.map((code) => `00${code}`).join(''),
    hex.map((code) => `u00${code}`).join(''),
    hex.map((code) => `x${code}`).join(''),
    codes.join(''),
    // Percent encoding of all characters but letters and digits.
    [...secret].map((character, index) => (/[a-z0-9]/i.test(character) ? character : hex[index]!)).join(''),
  ];
  return forms.flatMap((form) => [form, [...form].reverse().join('')]);
}

/** Returns the characters of base64 that depend on the secret alone, for each place at which it may begin. */
function base64Forms(secret: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    const text = bytes.toString('base64').replace(/=+$/, '');
    return text.slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
  });
}

const squeeze = (text: string): string => text.replace(/[^a-z0-9]/gi, '').toLowerCase();

/** Replaces each stretch of a text whose letters and digits are among the pieces. */
function withoutPieces(text: string, pieces: ReadonlyMap<number, ReadonlySet<string>>): string {
  const squeezed = squeeze(text);
  const stretches: { start: number; end: number }[] = [];
  for (let at = 0; at < squeezed.length; at++)
    for (const [length, known] of pieces) {
      if (!known.has(squeezed.slice(at, at + length))) continue;
      const last = stretches.at(-1);
      if (last && at <= last.end) last.end = Math.max(last.end, at + length);
      else stretches.push({ start: at, end: at + length });
    }
  if (stretches.length === 0) return text;
  const places: number[] = [];
  for (let index = 0; index < text.length; index++) if (/[a-z0-9]/i.test(text[index]!)) places.push(index);
  let result = '';
  let done = 0;
  for (const { start, end } of stretches) {
    result += `${text.slice(done, places[start])}${REPLACEMENT}`;
    done = places[end - 1]! + 1;
  }
  return result + text.slice(done);
}
