import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { InputError } from '../../errors.js';
import { describeContent, expectedInstead } from './describe-content.js';
import { isGzip } from './is-gzip.js';
import { jsonLinesKind } from './json-cursor.js';
import { parseNestedJson } from './parse-json.js';
import { utf16Decoder } from './utf16-decoder.js';

/**
 * Returns the text of a whole file, as `ByteReader` reads it: gzip is decompressed, UTF-16 is converted, a byte order
 * mark is left out.
 * @param maxBytes the maximum size of the text in bytes
 * @throws InputError if the content is not text, or decompresses to more than `maxBytes`
 */
export function decodeText(file: string, content: Buffer, maxBytes: number): string {
  const bytes = isGzip(content) ? inflate(file, content, maxBytes) : content;
  const utf16 = utf16Decoder(bytes);
  if (utf16) return utf16.decode(bytes);
  if (!isUtf8(bytes)) {
    const { kind, advice } = describeContent(bytes) ?? { kind: 'not UTF-8', advice: undefined };
    throw new InputError(
      file,
      `the file is ${kind}${expectedInstead('text in UTF-8', advice ?? 'convert the file, for example with iconv')}`,
    );
  }
  return bytes.toString('utf8').replace(/^\ufeff/, '');
}

/**
 * Parses a text that is a whole JSON file, as `parseNestedJson` does.
 * @param expected what the file should be, for messages
 * @throws InputError that says what the file is instead: a web page, a git-lfs pointer, JSON lines, invalid JSON…
 */
export function decodeJson(file: string, text: string, expected = 'JSON'): unknown {
  if (text.trim() === '') throw new InputError(file, `the file is empty, expected ${expected}`);
  try {
    return parseNestedJson(text);
  } catch (cause) {
    const kind = describeContent(Buffer.from(text.slice(0, 1000)));
    const problem =
      kind !== undefined
        ? `the file is ${kind.kind}${expectedInstead(expected, kind.advice)}`
        : isJsonLines(text)
          ? `the file is ${jsonLinesKind}, expected ${expected} as one value`
          : `is not valid JSON: ${(cause as Error).message}; expected ${expected}`;
    throw new InputError(file, problem, undefined, { cause });
  }
}

/** Returns whether the first two lines of a text, other than blank ones, are objects or lists of their own. */
function isJsonLines(text: string): boolean {
  const lines = text.slice(0, 64 * 1024).split('\n');
  const [first, second] = lines.filter((line) => line.trim() !== '');
  if (first === undefined || second === undefined || !/^\s*[[{]/.test(second)) return false;
  try {
    parseNestedJson(first);
    return true;
  } catch {
    return false;
  }
}

function inflate(file: string, content: Buffer, maxBytes: number): Buffer {
  try {
    return gunzipSync(content, { maxOutputLength: maxBytes });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const problem =
      code === 'ERR_BUFFER_TOO_LARGE'
        ? `the gzip data expands to more than ${maxBytes} bytes`
        : code === 'Z_BUF_ERROR'
          ? 'truncated gzip data'
          : 'invalid gzip data';
    throw new InputError(file, problem, undefined, { cause });
  }
}
