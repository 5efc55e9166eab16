import { open } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import { readBytes } from '../read-bytes.js';

/** A regular file in a tar file. */
export interface TarMember {
  /** The path as written. */
  readonly path: string;
  /** The first byte of the content in the tar file. */
  readonly offset: number;
  /** Size of the content in bytes. */
  readonly bytes: number;
}

const BLOCK = 512;

/** The maximum size of the names and attributes that precede a member. */
const MAX_EXTENSION = 1 << 20;

/**
 * Yields the regular files in a tar file, of which only the headers are read.
 * Source: POSIX.1-2017, pax; GNU tar manual, appendix D, for long names and large numbers.
 * @throws InputError if the file is damaged, cut off or compressed, or has a sparse file, with the byte
 */
export async function* tarMembers(file: string): AsyncGenerator<TarMember, void> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    let global: Attributes = {};
    let own: Attributes = {};
    for (let at = 0; at < size; ) {
      const block = await readBytes(handle, at, Math.min(BLOCK, size - at));
      if (block.length < BLOCK) throw new InputError(file, 'is cut off within a header', at);
      if (block.every((byte) => byte === 0)) {
        at += BLOCK;
        continue;
      }
      if (!hasChecksum(block))
        throw new InputError(file, at === 0 ? 'is not an uncompressed tar file' : 'has a damaged header', at);
      const type = String.fromCharCode(block[156] as number);
      const isExtension = /[LKxgX]/.test(type);
      const bytes = (isExtension ? undefined : (own.size ?? global.size)) ?? numberAt(block, 124, 12);
      const offset = at + BLOCK;
      if (!Number.isSafeInteger(bytes) || bytes < 0 || offset + bytes > size)
        throw new InputError(file, `is cut off: a member of ${bytes} bytes begins, the file has ${size} bytes`, at);
      if (type === 'S') throw new InputError(file, 'has a sparse file, which is not read', at);
      if (isExtension) {
        if (bytes > MAX_EXTENSION) throw new InputError(file, `has a header of ${bytes} bytes`, at);
        const content = await readBytes(handle, offset, bytes);
        if (type === 'L') own = { ...own, path: textAt(content, 0, bytes) };
        else if (type === 'g') global = { ...global, ...attributes(content) };
        else if (type === 'x' || type === 'X') own = { ...own, ...attributes(content) };
      } else {
        const path = own.path ?? global.path ?? pathOf(block);
        own = {};
        // Before POSIX, a slash at the end was what a folder had.
        if (/[07\0]/.test(type) && !path.endsWith('/')) yield { path, offset, bytes };
      }
      at = offset + Math.ceil(bytes / BLOCK) * BLOCK;
    }
  } finally {
    await handle.close();
  }
}

/** What extended headers say about the next member. */
interface Attributes {
  readonly path?: string;
  readonly size?: number;
}

/** Reads the records of an extended header, `length key=value` with a line feed at the end. */
function attributes(content: Buffer): Attributes {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < content.length; ) {
    const length = Number.parseInt(content.toString('latin1', at, at + 20), 10);
    if (!(length > 0)) break;
    const record = content.toString('utf8', at, at + length - 1);
    const [, key, value = ''] = /^\d+ ([^=]*)=([\s\S]*)$/.exec(record) ?? [];
    if (key === 'path') found.path = value;
    if (key === 'size') found.size = Number(value);
    at += length;
  }
  return found;
}

/** Returns the path of a header: its name after its prefix, which GNU's has not. */
function pathOf(block: Buffer): string {
  const name = textAt(block, 0, 100);
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? textAt(block, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Returns the text up to a zero byte. */
function textAt(block: Buffer, offset: number, length: number): string {
  const end = block.subarray(offset, offset + length).indexOf(0);
  return block.toString('utf8', offset, end === -1 ? offset + length : offset + end);
}

/** Returns an octal number, or a binary one, which has the highest bit set; NaN if it is neither. */
function numberAt(block: Buffer, offset: number, length: number): number {
  if ((block[offset] as number) < 0x80) return Number.parseInt(textAt(block, offset, length).trim() || '0', 8);
  if (block[offset] !== 0x80) return Number.NaN;
  return block.subarray(offset + 1, offset + length).reduce((number, byte) => number * 256 + byte, 0);
}

/** Returns whether the sum of a header's bytes is right; some programs add them as signed ones. */
function hasChecksum(block: Buffer): boolean {
  let [unsigned, signed] = [0, 0];
  for (const [k, value] of block.entries()) {
    const byte = k >= 148 && k < 156 ? 32 : value;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const written = numberAt(block, 148, 8);
  return written === unsigned || written === signed;
}
