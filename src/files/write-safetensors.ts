import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkFinite } from './check-finite.js';
import type { Metadata } from './open-safetensors.js';
import { syncFolder } from './sync-folder.js';
import { sizeOf } from './weight-source.js';
import { wrapFileErrors } from './wrap-io-errors.js';

/** An array to write as 32-bit floats; its numbers are read only when they are written. */
export interface WeightToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  read(): Promise<Float32Array>;
}

/** Options of `writeSafetensors`. */
export interface WriteOptions {
  readonly metadata?: Metadata;
  /** The maximum number of bytes of arrays per file; larger models are written as several files with an index. */
  readonly shardBytes?: number;
  /** Called after each array with the number of arrays written so far. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Writes arrays as a safetensors file, or as several shards and an index. Each file is written atomically, the index
 * last.
 * @param path `NAME.safetensors`; shards are named `NAME-00001-of-00002.safetensors`, the index
 * `NAME.safetensors.index.json`
 * @returns the path to open: the file, or the index
 * @throws OutputError if a file cannot be written
 * @throws RelflowError (`bad-weights`) if a number is NaN or infinite; then no file is written
 */
export async function writeSafetensors(
  path: string,
  weights: readonly WeightToWrite[],
  { metadata = {}, shardBytes = Number.POSITIVE_INFINITY, onProgress }: WriteOptions = {},
): Promise<string> {
  const shards = splitIntoShards(weights, shardBytes);
  let done = 0;
  const report = () => onProgress?.(++done, weights.length);
  if (shards.length <= 1) {
    await writeFile(path, (file) => writeShard(path, file, shards[0] ?? [], metadata, report));
    return path;
  }
  const stem = path.replace(/\.safetensors$/, '');
  const digits = (value: number) => String(value).padStart(5, '0');
  const map: Record<string, string> = {};
  for (const [k, shard] of shards.entries()) {
    const name = `${stem}-${digits(k + 1)}-of-${digits(shards.length)}.safetensors`;
    for (const weight of shard) map[weight.name] = basename(name);
    await writeFile(name, (file) => writeShard(name, file, shard, metadata, report));
  }
  const size = weights.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
  const index = `${stem}.safetensors.index.json`;
  const text = JSON.stringify({ metadata: { total_size: size, ...metadata }, weight_map: map }, null, 2);
  await writeFile(index, async (file) => {
    await file.write(text);
  });
  return index;
}

function splitIntoShards(weights: readonly WeightToWrite[], shardBytes: number): WeightToWrite[][] {
  const shards: WeightToWrite[][] = [];
  let room = -1;
  for (const weight of weights) {
    const bytes = 4 * sizeOf(weight.shape);
    if (shards.length === 0 || (bytes > room && shards[shards.length - 1]!.length > 0)) {
      shards.push([]);
      room = shardBytes;
    }
    shards[shards.length - 1]!.push(weight);
    room -= bytes;
  }
  return shards;
}

async function writeShard(
  path: string,
  file: FileHandle,
  weights: readonly WeightToWrite[],
  metadata: Metadata,
  report: () => void,
): Promise<void> {
  let end = 0;
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  for (const { name, shape } of weights) {
    const start = end;
    end += 4 * sizeOf(shape);
    header[name] = { dtype: 'F32', shape, data_offsets: [start, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // Arrays start at a multiple of eight bytes; the header is padded with spaces.
  const padded = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(json, 8);
  await writeAll(file, padded);
  for (const { name, shape, read } of weights) {
    const values = await read();
    if (values.length !== sizeOf(shape)) throw new RangeError(`${name}: ${values.length} numbers for shape [${shape}]`);
    checkFinite(path, name, values);
    await writeAll(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    report();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, Math.min(bytes.length - at, 1 << 30));
    at += bytesWritten;
  }
}

/** Writes to a temporary file and renames it, so that the file is complete or absent. */
async function writeFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const partial = join(dirname(path), `.${basename(path)}.${randomUUID()}.partial`);
  try {
    await wrapFileErrors(path, async () => {
      const file = await open(partial, 'wx');
      try {
        await write(file);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(partial, path);
      await syncFolder(dirname(path));
    });
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw error;
  }
}
