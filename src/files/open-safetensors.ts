import { type FileHandle, open } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { formatJsonValue } from './json/json-value.js';
import { parseNestedJson } from './json/parse-json.js';
import {
  MAX_AXES,
  type NumberType,
  numberBytes,
  sizeOf,
  toFloats,
  type WeightEntry,
  type WeightSource,
} from './weight-source.js';

/** The maximum header length in bytes; the format allows more, but a megabyte describes ten thousand arrays. */
const MAX_HEADER = 16 << 20;

interface StoredEntry extends WeightEntry {
  /** Offset in the file, in bytes. */
  readonly start: number;
  readonly bytes: number;
}

const types: Readonly<Record<string, NumberType>> = Object.fromEntries(
  Object.keys(numberBytes).map((type) => [type, type as NumberType]),
);

/**
 * Opens a safetensors file. It reads and checks the header now, and arrays on demand.
 * @throws InputError if the file does not exist or is not a valid safetensors file
 */
export async function openSafetensors(path: string): Promise<WeightSource & { readonly metadata: Metadata }> {
  const file = await open(path).catch((cause) => {
    throw new InputError(path, 'cannot be opened', undefined, { cause });
  });
  try {
    const { size } = await file.stat();
    const header = await readHeader(path, file, size);
    return new SafetensorsFile(path, file, header.entries, header.metadata);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The `__metadata__` of a safetensors file. */
export type Metadata = Readonly<Record<string, string>>;

class SafetensorsFile implements WeightSource {
  readonly name: string;
  readonly entries: ReadonlyMap<string, StoredEntry>;
  readonly metadata: Metadata;
  readonly #file: FileHandle;

  constructor(name: string, file: FileHandle, entries: ReadonlyMap<string, StoredEntry>, metadata: Metadata) {
    this.name = name;
    this.#file = file;
    this.entries = entries;
    this.metadata = metadata;
  }

  async read(name: string): Promise<Float32Array> {
    const entry = this.entries.get(name);
    if (!entry) throw new InputError(this.name, `has no ${name}`);
    const bytes = new Uint8Array(entry.bytes);
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await this.#file.read(
        bytes,
        done,
        Math.min(bytes.length - done, 1 << 30),
        entry.start + done,
      );
      if (bytesRead === 0) throw new InputError(this.name, `ends within ${name}`, entry.start + done);
      done += bytesRead;
    }
    return toFloats(bytes, entry.type, sizeOf(entry.shape));
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function readHeader(path: string, file: FileHandle, size: number) {
  const prefix = new Uint8Array(8);
  const { bytesRead } = await file.read(prefix, 0, 8, 0);
  const length = bytesRead === 8 ? new DataView(prefix.buffer).getBigUint64(0, true) : -1n;
  if (length < 2n || length + 8n > size)
    throw new InputError(path, 'is not a safetensors file: its header length is invalid', 0);
  if (length > MAX_HEADER)
    throw new InputError(path, `has a header of ${length} bytes, expected at most ${MAX_HEADER}`);
  const bytes = new Uint8Array(Number(length));
  await file.read(bytes, 0, bytes.length, 8);
  let header: unknown;
  try {
    header = parseNestedJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new InputError(path, 'is not a safetensors file: its header is not JSON', 8, { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new InputError(path, 'is not a safetensors file: its header is not an object', 8);
  const start = 8 + Number(length);
  const entries = new Map<string, StoredEntry>();
  let metadata: Metadata = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = checkMetadata(path, value);
    else entries.set(name, checkEntry(path, name, value, start, size));
  }
  checkGaps(path, entries, start, size);
  return { entries, metadata };
}

function checkMetadata(path: string, value: unknown): Metadata {
  const isValid =
    typeof value === 'object' && value !== null && Object.values(value).every((item) => typeof item === 'string');
  if (!isValid) throw new InputError(path, '__metadata__ is not an object of strings');
  return value as Metadata;
}

function checkEntry(path: string, name: string, value: unknown, start: number, size: number): StoredEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  const refuse = (problem: string): never => {
    throw new InputError(path, `${name.slice(0, 200)} ${problem}`);
  };
  const isCounts = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((item) => Number.isSafeInteger(item) && item >= 0);
  const type = typeof dtype === 'string' && Object.hasOwn(types, dtype) ? types[dtype] : undefined;
  if (!type) return refuse(`has dtype ${formatJsonValue(dtype)}, expected one of ${Object.keys(types).join(', ')}`);
  if (!isCounts(shape) || shape.length > MAX_AXES)
    return refuse(`has an invalid shape, expected up to ${MAX_AXES} whole numbers of at least 0`);
  if (!isCounts(offsets) || offsets.length !== 2)
    return refuse('has invalid data_offsets, expected two whole numbers of at least 0');
  const [from, to] = offsets as [number, number];
  const bytes = sizeOf(shape) * numberBytes[type];
  if (to - from !== bytes) return refuse(`has ${to - from} bytes, but its shape [${shape}] needs ${bytes}`);
  if (start + to > size) return refuse('extends beyond the end of the file');
  return { type, shape, start: start + from, bytes };
}

/** Checks that arrays neither overlap nor leave gaps, so that the file has no hidden bytes. */
function checkGaps(path: string, entries: ReadonlyMap<string, StoredEntry>, start: number, size: number): void {
  let at = start;
  for (const { start: from, bytes } of [...entries.values()].sort((a, b) => a.start - b.start || a.bytes - b.bytes)) {
    if (from !== at) throw new InputError(path, 'has arrays that overlap or leave a gap', from);
    at += bytes;
  }
  if (at !== size) throw new InputError(path, 'has bytes that belong to no array', at);
}
