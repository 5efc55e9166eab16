import type { FileHandle } from 'node:fs/promises';
import { InputError } from '../../errors.js';

/** File in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** Offset in the archive of the header before its content. */
  readonly header: number;
  /** Length of its content in the archive. */
  readonly bytes: number;
  /** False if its content is compressed or encrypted and cannot be read. */
  readonly isPlain: boolean;
}

const MAX_DIRECTORY = 64 << 20;
/** Checkpoints have one file for each tensor. */
const MAX_ENTRIES = 100_000;
const HEADER_BYTES = 30;

/**
 * Lists the files of a zip or zip64 archive.
 * @returns entries by name
 * @throws InputError if the file is not such an archive
 */
export async function listZipEntries(path: string, file: FileHandle): Promise<Map<string, ZipEntry>> {
  const { size } = await file.stat();
  const { count, start, bytes } = await findDirectory(path, file, size);
  if (bytes > MAX_DIRECTORY || count > MAX_ENTRIES)
    throw new InputError(path, `is an archive with ${count} files, expected at most ${MAX_ENTRIES}`);
  if (start + bytes > size) throw new InputError(path, 'is an archive whose directory lies outside the file');
  const directory = await readZipBytes(path, file, start, bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let k = 0; k < count; k++) {
    const entry = readEntry(path, directory, at);
    if (entries.has(entry.name)) throw new InputError(path, `contains ${entry.name} twice`);
    if (entry.header + HEADER_BYTES + entry.bytes > size) throw new InputError(path, `ends within ${entry.name}`);
    const { next, ...rest } = entry;
    at = next;
    entries.set(entry.name, rest);
  }
  let end = 0;
  for (const { name, header, bytes } of [...entries.values()].sort((a, b) => a.header - b.header)) {
    if (header < end) throw new InputError(path, `contains ${name}, which overlaps the file before it`, header);
    end = header + HEADER_BYTES + bytes;
  }
  return entries;
}

/**
 * Returns the offset of a file's content in its archive.
 * @throws InputError if the archive has no such file there
 */
export async function zipEntryStart(path: string, file: FileHandle, entry: ZipEntry): Promise<number> {
  if (!entry.isPlain)
    throw new InputError(
      path,
      `contains ${entry.name} compressed or encrypted, expected plain files as PyTorch writes them: save it again with torch.save`,
    );
  const local = await readZipBytes(path, file, entry.header, HEADER_BYTES);
  if (local.getUint32(0, true) !== 0x04034b50)
    throw new InputError(path, `has no file at the position of ${entry.name}`, entry.header);
  const content = entry.header + HEADER_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  if (content + entry.bytes > (await file.stat()).size) throw new InputError(path, `ends within ${entry.name}`);
  return content;
}

/**
 * Reads the content of a file in an archive.
 * @throws InputError if the archive ends before
 */
export async function readZipEntry(path: string, file: FileHandle, entry: ZipEntry): Promise<DataView> {
  return await readZipBytes(path, file, await zipEntryStart(path, file, entry), entry.bytes);
}

/**
 * Reads bytes of a file.
 * @throws InputError if the file ends before
 */
export async function readZipBytes(path: string, file: FileHandle, start: number, bytes: number): Promise<DataView> {
  const into = new Uint8Array(bytes);
  let done = 0;
  while (done < bytes) {
    const { bytesRead } = await file.read(into, done, Math.min(bytes - done, 1 << 30), start + done);
    if (bytesRead === 0) throw new InputError(path, 'ends too early', start + done);
    done += bytesRead;
  }
  return new DataView(into.buffer);
}

/** Reads an unsigned 64-bit integer; returns infinity for those that a double cannot represent exactly. */
function readUint64(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(value);
}

/** Finds the central directory of an archive: number of files, length in bytes and offset. */
async function findDirectory(path: string, file: FileHandle, size: number) {
  // The record at the end may be followed by a comment of up to 65,535 bytes.
  const length = Math.min(size, 22 + 65_535);
  const tail = await readZipBytes(path, file, size - length, length);
  let end = length - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0)
    throw new InputError(
      path,
      'starts as a zip archive but has no directory at its end, it is cut off: download it again',
    );
  const plain = {
    count: tail.getUint16(end + 10, true),
    bytes: tail.getUint32(end + 12, true),
    start: tail.getUint32(end + 16, true),
  };
  const locator = size - length + end - 20;
  if (locator < 0) return plain;
  const pointer = await readZipBytes(path, file, locator, 20);
  if (pointer.getUint32(0, true) !== 0x07064b50) return plain;
  const at = readUint64(pointer, 8);
  if (at + 56 > size) throw new InputError(path, 'is an archive whose directory lies outside the file');
  const record = await readZipBytes(path, file, at, 56);
  if (record.getUint32(0, true) !== 0x06064b50) throw new InputError(path, 'is an archive without a directory', at);
  return { count: readUint64(record, 32), bytes: readUint64(record, 40), start: readUint64(record, 48) };
}

/** Reads the entry of the central directory at `at`; `next` is the position of the next entry. */
function readEntry(path: string, view: DataView, at: number) {
  const broken = () => new InputError(path, 'is an archive with an invalid directory');
  if (at + 46 > view.byteLength || view.getUint32(at, true) !== 0x02014b50) throw broken();
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  let [bytes, header] = [view.getUint32(at + 24, true), view.getUint32(at + 42, true)];
  let packed = view.getUint32(at + 20, true);
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((k) => view.getUint16(at + k, true)) as [
    number,
    number,
    number,
  ];
  const extra = at + 46 + nameLength;
  const next = extra + extraLength + commentLength;
  if (next > view.byteLength) throw broken();
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
  if (name.startsWith('/') || name.split(/[\\/]/).includes('..'))
    throw new InputError(path, `contains the file '${name}', expected a path within the archive`);
  const wide = packed === 0xffffffff || bytes === 0xffffffff || header === 0xffffffff;
  if (wide) {
    // The zip64 field contains the numbers that do not fit into 32 bits, in this order.
    let field = extra;
    while (field + 4 <= extra + extraLength && view.getUint16(field, true) !== 1)
      field += 4 + view.getUint16(field + 2, true);
    if (field + 4 > extra + extraLength) throw broken();
    let value = field + 4;
    const take = (): number => {
      if (value + 8 > extra + extraLength) throw broken();
      value += 8;
      return readUint64(view, value - 8);
    };
    if (bytes === 0xffffffff) bytes = take();
    if (packed === 0xffffffff) packed = take();
    if (header === 0xffffffff) header = take();
  }
  const isPlain = method === 0 && (flags & 1) === 0;
  return { name, bytes: isPlain ? bytes : packed, header, isPlain, next };
}
