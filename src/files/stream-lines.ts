import { StringDecoder } from 'node:string_decoder';
import { InputError } from '../errors.js';
import { longerThan, readerLimits } from './reader-limits.js';

/**
 * Yields the lines of a stream of UTF-8, blank ones too; the last one needs no line break.
 * @param name what the stream is, for messages
 * @throws InputError if a line is longer than `RELFLOW_MAX_ELEMENT_BYTES`; the stream's error
 */
export async function* streamLines(name: string, input: AsyncIterable<Buffer | string>): AsyncGenerator<string, void> {
  const { maxElementBytes } = readerLimits();
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  let length = 0;
  let line = 1;
  let heldBack = '';
  const add = (piece: string) => {
    pieces.push(piece);
    length += Buffer.byteLength(piece);
    if (length > maxElementBytes) throw new InputError(name, longerThan(`line ${line}`, maxElementBytes));
  };
  const end = () => {
    const text = pieces.join('');
    pieces = [];
    length = 0;
    line++;
    return text;
  };
  for await (const chunk of input) {
    const text = heldBack + (typeof chunk === 'string' ? chunk : decoder.write(chunk));
    // A line break of two characters may be cut into two chunks.
    heldBack = text.endsWith('\r') ? '\r' : '';
    const [first = '', ...others] = text.slice(0, text.length - heldBack.length).split(/\r\n|\n|\r/);
    add(first);
    for (const piece of others) {
      yield end();
      add(piece);
    }
  }
  add(decoder.end());
  if (length > 0 || heldBack !== '') yield end();
}
