import { InputError } from '../../errors.js';
import { ByteReader } from './byte-reader.js';
import { ByteWindow, skipByteOrderMark } from './byte-window.js';

/** What the readers of lines are told. */
export interface JsonLinesOptions {
  /** The longest line in bytes; 64 MiB unless given. */
  readonly maxLineBytes?: number;
  /** Stops between two reads, with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called as the file is read, with bytes on disk. */
  readonly onRead?: (done: number, total: number) => void;
}

/** A line that is not blank. */
export interface TextLine {
  readonly text: string;
  /** Its number in the file, from 1. */
  readonly line: number;
  /** Its byte offset in the decompressed file. */
  readonly at: number;
}

/** A line as a value. */
export interface JsonLine {
  readonly value: unknown;
  /** Its number in the file, from 1. */
  readonly line: number;
  /** Its byte offset in the decompressed file. */
  readonly at: number;
}

const newline = 0x0a;

/**
 * The values of a file of JSON lines, gzip or not. Blank lines are passed over.
 * @throws InputError naming the line: it is not JSON or too long; or the file can't be read
 */
export async function* jsonLines(file: string, options: JsonLinesOptions = {}): AsyncGenerator<JsonLine, void, void> {
  for await (const { text, line, at } of textLines(file, options)) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new InputError(file, `line ${line} is not JSON`, at, { cause: error });
    }
    yield { value, line, at };
  }
}

/**
 * The lines of a text file, gzip or not; blank ones are passed over.
 * @throws InputError where a line is too long or the file can't be read
 */
export async function* textLines(file: string, options: JsonLinesOptions = {}): AsyncGenerator<TextLine, void, void> {
  const maxLineBytes = options.maxLineBytes ?? 64 * 1024 * 1024;
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
          throw new InputError(file, `line ${line} is longer than ${maxLineBytes} bytes`, window.offset(position));
        }
        searched = end - position;
        ended = !(await window.readMore());
        continue;
      }
      const at = window.offset(position);
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
