import { TextDecoder } from 'node:util';

/** Returns a decoder if bytes are the start of a UTF-16 text; JSON and CSV begin with an ASCII character. */
export function utf16Decoder(bytes: Buffer): TextDecoder | null {
  if (bytes.length < 2) return null;
  const [first, second] = [bytes[0]!, bytes[1]!];
  const isAscii = (code: number) => (code >= 0x20 && code < 0x7f) || (code >= 0x09 && code <= 0x0d);
  if ((first === 0xff && second === 0xfe) || (second === 0 && isAscii(first))) return new TextDecoder('utf-16le');
  if ((first === 0xfe && second === 0xff) || (first === 0 && isAscii(second))) return new TextDecoder('utf-16be');
  return null;
}
