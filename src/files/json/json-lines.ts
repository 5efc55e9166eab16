import { isUtf8 } from 'node:buffer';
import { InputError } from '../../errors.js';
import { longerThan, readerLimits } from '../reader-limits.js';
import { ByteReader } from './byte-reader.js';
import { ByteWindow, skipByteOrderMark } from './byte-window.js';
import { describeContent, expectedInstead } from './describe-content.js';
import { isTooDeep, parseNestedJson } from './parse-json.js';

/** Options of `jsonLines` and `textLines`. */
export interface JsonLinesOptions {
  /** The maximum length of a line in bytes. Default: see `readerLimits`, 16 MiB. */
  readonly maxLineBytes?: number;
  /** Stops the reading between two reads, with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called after each read with the number of bytes on disk read so far and in total. */
  readonly onRead?: (done: number, total: number) => void;
}

/** A non-blank line of a text file. */
export interface TextLine {
  readonly text: string;
  /** The line number, from 1. */
  readonly line: number;
  /** The byte offset of the line in the decompressed file. */
  readonly at: number;
}

/** The parsed value of a line. */
export interface JsonLine {
  readonly value: unknown;
  /** The line number, from 1. */
  readonly line: number;
  /** The byte offset of the line in the decompressed file. */
  readonly at: number;
}

const newline = 0x0a;

/**
 * Reads the values of a JSON Lines file, gzip or not. Blank lines are skipped.
 * @throws InputError if a line, which the message names, is not JSON or too long, or if the file cannot be read
 */
export async function* jsonLines(file: string, options: JsonLinesOptions = {}): AsyncGenerator<JsonLine, void, void> {
  for await (const { text, line, at } of textLines(file, options)) {
    let value: unknown;
    try {
      value = parseNestedJson(text);
    } catch (error) {
      const kind = line === 1 ? describeContent(Buffer.from(text)) : undefined;
      if (kind) {
        const problem = `is ${kind.kind}${expectedInstead('JSON lines', kind.advice)}`;
        throw new InputError(file, problem, undefined, { cause: error });
      }
      const problem = isTooDeep(error) ? error.message : 'is not JSON';
      throw new InputError(file, `line ${line} ${problem}`, at, { cause: error });
    }
    yield { value, line, at };
  }
}

/**
 * Reads the lines of a text file, gzip or not. Blank lines are skipped.
 * @throws InputError if a line, which the message names, is too long or not UTF-8, or if the file cannot be read
 */
export async function* textLines(file: string, options: JsonLinesOptions = {}): AsyncGenerator<TextLine, void, void> {
  const maxLineBytes = options.maxLineBytes ?? readerLimits().maxElementBytes;
  const reader = await ByteReader.open(file);
  const window = new ByteWindow(reader, () => {
    options.signal?.throwIfAborted();
    options.onRead?.(reader.consumed, reader.size);
  });
  try {
    let line = 1;
    let searched = 0;
    for (let ended = false; ; ) {
      const { bytes, position, end } = window;
      const found = bytes.subarray(0, end).indexOf(newline, searched);
      const to = found === -1 ? end : found;
      if (found === -1 && !ended) {
        if (end - position > maxLineBytes) {
          throw new InputError(file, longerThan(`line ${line}`, maxLineBytes), window.offset(position));
        }
        searched = end - position;
        ended = !(await window.readMore());
        continue;
      }
      const at = window.offset(position);
      if (!isUtf8(bytes.subarray(position, to))) {
        throw new InputError(file, `line ${line} is not UTF-8: convert the file, for example with iconv`, at);
      }
      const text = bytes.toString('utf8', at === 0 ? skipByteOrderMark(bytes) : position, to);
      if (text.trim() !== '') yield { text, line, at };
      if (found === -1) return;
      window.position = searched = to + 1;
      line++;
    }
  } finally {
    await reader.close();
  }
}
