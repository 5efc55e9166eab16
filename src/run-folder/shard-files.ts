import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import writeFileAtomic from 'write-file-atomic';
import { InputError } from '../errors.js';
import { checksum } from '../files/checksum.js';
import { isMissing } from '../files/is-missing.js';
import { makeFolder } from '../files/make-folder.js';
import { syncFolder } from '../files/sync-folder.js';
import { withPath } from '../files/system-error.js';
import type { OutputFile, Shard, StageCounts } from '../records/manifest.js';
import { addStages, sortStages } from '../records/stage-counts.js';
import type { RunFolder } from './run-folder.js';
import { seal } from './sealed-json.js';
import { shardNumber } from './shard-number.js';

/** Committed length of a shard's file. */
export interface FileExtent {
  readonly records: number;
  readonly bytes: number;
  /** Of the committed bytes, uncompressed. */
  readonly sha256: string;
}

/** File of the shard in progress. */
interface PartialFile {
  readonly handle: FileHandle;
  records: number;
  /** Written and buffered. */
  bytes: number;
  /** Of the written bytes. */
  readonly hash: Hash;
  buffered: string[];
  bufferedBytes: number;
}

/** Result of one record of the input as lines of sinks. */
export interface OutcomeLines {
  readonly writes: readonly { readonly sink: string; readonly line: string }[];
  readonly stages: Readonly<Record<string, StageCounts>>;
}

/** Committed length of a shard's files, and the number and counts of the input's records in them. */
export interface ShardExtent {
  readonly records: number;
  readonly stages: Readonly<Record<string, StageCounts>>;
  readonly files: Readonly<Record<string, FileExtent>>;
}

const FLUSH_BYTES = 1 << 18;

/**
 * Writes the files of one shard, one per sink, in a staging folder, and moves them into place when the shard is
 * complete.
 */
export class ShardFiles {
  readonly #folder: RunFolder;
  readonly #staging: string;
  readonly #gzip: boolean;
  readonly #files = new Map<string, PartialFile>();
  #records = 0;
  #stages: Record<string, StageCounts> = {};

  /** @param staging folder where the files grow, on the same disk as the run's folder */
  constructor(folder: RunFolder, staging: string, gzip: boolean) {
    this.#folder = folder;
    this.#staging = staging;
    this.#gzip = gzip;
  }

  /** Number of records of the input in the files. */
  get records(): number {
    return this.#records;
  }

  /** Size of the largest file in bytes, uncompressed. */
  get largestBytes(): number {
    return Math.max(0, ...[...this.#files.values()].map((file) => file.bytes));
  }

  /**
   * Adds the lines and counts of the next record: to all of its files and the counts, or to none of them. A file that
   * cannot be created fails before any line is added, and one that cannot be written to fails after all are.
   */
  async commit({ writes, stages }: OutcomeLines): Promise<void> {
    for (const { sink } of writes) if (!this.#files.has(sink)) await this.#open(sink);
    for (const { sink, line } of writes) append(this.#files.get(sink)!, line);
    addStages(this.#stages, stages);
    this.#records++;
    for (const file of this.#files.values()) if (file.bufferedBytes >= FLUSH_BYTES) await flush(file);
  }

  /** Writes buffered lines to the disk; resolves to the committed length. */
  async sync(): Promise<ShardExtent> {
    const files: Record<string, FileExtent> = {};
    for (const [sink, file] of this.#files) {
      await flush(file);
      await file.handle.datasync();
      files[sink] = { records: file.records, bytes: file.bytes, sha256: file.hash.copy().digest('hex') };
    }
    return { records: this.#records, stages: this.#stages, files };
  }

  /**
   * Continues the files of an earlier process, truncated to their committed length.
   * @returns false when one is missing, shorter or has other content, or is a hard link, whose other name must keep its
   *   content; then nothing is continued
   */
  async resume({ records, stages, files }: ShardExtent): Promise<boolean> {
    const hashes = new Map<string, Hash>();
    for (const [sink, { bytes, sha256 }] of Object.entries(files)) {
      const hash = await hashStart(this.#partial(sink), bytes);
      if (hash?.copy().digest('hex') !== sha256) return false;
      if (await isHardLink(this.#partial(sink))) return false;
      hashes.set(sink, hash);
    }
    this.#records = records;
    this.#stages = { ...stages };
    for (const [sink, extent] of Object.entries(files)) await this.#open(sink, { ...extent, hash: hashes.get(sink)! });
    return true;
  }

  async #open(
    sink: string,
    { records, bytes, hash }: Pick<PartialFile, 'records' | 'bytes' | 'hash'> = {
      records: 0,
      bytes: 0,
      hash: createHash('sha256'),
    },
  ): Promise<void> {
    const file = this.#partial(sink);
    if (bytes === 0) await removeHardLink(file);
    const handle = await open(file, bytes > 0 ? 'r+' : 'w');
    await handle.truncate(bytes);
    this.#files.set(sink, { handle, records, bytes, hash, buffered: [], bufferedBytes: 0 });
  }

  /**
   * Moves the files into place and then writes the marker of the complete shard: the marker survives a power cut only
   * if the files do. After it, another shard can be started.
   *
   * @param first position of the shard's first record in the input
   */
  async publish(shard: number, first: number): Promise<Shard> {
    const number = shardNumber(shard);
    const files: OutputFile[] = [];
    for (const [sink, file] of [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await flush(file);
      await file.handle.datasync();
      await file.handle.close();
      const path = `${sink}/${number}.jsonl${this.#gzip ? '.gz' : ''}`;
      files.push({
        sink,
        path,
        records: file.records,
        ...(await this.#moveIntoPlace(file, this.#partial(sink), path)),
      });
    }
    for (const { path } of files) await syncFolder(dirname(this.#folder.pathTo(path)));
    const [records, stages] = [this.#records, sortStages(this.#stages)];
    const marker: Shard = { format: 'relflow.shard/1', shard, first, records, stages, files };
    const markers = this.#folder.internalPath('shards');
    await makeDurableFolder(markers);
    await writeFileAtomic(this.#folder.markerPath(shard), `${JSON.stringify(seal(marker))}\n`);
    await syncFolder(markers);
    this.#files.clear();
    this.#records = 0;
    this.#stages = {};
    return marker;
  }

  /** Closes open files; buffered lines are lost. */
  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.handle.close().catch(() => {});
    this.#files.clear();
  }

  #partial(sink: string): string {
    // The names come from files of the folder when a shard or a record is continued.
    if (!/^[a-z][a-z0-9-]*$/.test(sink))
      throw new InputError(this.#folder.path, `${JSON.stringify(sink.slice(0, 80))} is not the name of a sink`);
    return join(this.#staging, `${sink}.jsonl`);
  }

  async #moveIntoPlace(
    { bytes, hash }: PartialFile,
    partial: string,
    path: string,
  ): Promise<{ bytes: number; sha256: string }> {
    const target = this.#folder.pathTo(path);
    await makeDurableFolder(dirname(target));
    if (!this.#gzip) {
      await rename(partial, target);
      return { bytes, sha256: hash.digest('hex') };
    }
    const compressed = `${partial}.gz`;
    await removeHardLink(compressed);
    await pipeline(createReadStream(partial), createGzip(), createWriteStream(compressed, { flush: true }));
    const sum = await checksum(compressed);
    await rename(compressed, target);
    await rm(partial);
    return sum;
  }
}

/** Resolves to whether a file has another name, under which it is perhaps the user's. */
async function isHardLink(file: string): Promise<boolean> {
  const found = await stat(file).catch((error) => {
    if (isMissing(error)) return null;
    throw error;
  });
  return found?.isFile() === true && found.nlink > 1;
}

/** Makes way for a new file where writing would change a file under its other name too. */
async function removeHardLink(file: string): Promise<void> {
  if (await isHardLink(file)) await rm(file, { force: true });
}

function append(file: PartialFile, line: string): void {
  const bytes = Buffer.byteLength(line) + 1;
  file.records++;
  file.bytes += bytes;
  file.buffered.push(line);
  file.bufferedBytes += bytes;
}

async function flush(file: PartialFile): Promise<void> {
  if (file.buffered.length === 0) return;
  const bytes = Buffer.from(`${file.buffered.join('\n')}\n`);
  await writeAll(file.handle, bytes, file.bytes - file.bufferedBytes);
  file.hash.update(bytes);
  file.buffered = [];
  file.bufferedBytes = 0;
}

/** Creates a folder and makes its entry in the parent folder durable. */
async function makeDurableFolder(path: string): Promise<void> {
  if (await makeFolder(path)) await syncFolder(dirname(path));
}

/** Hashes the first bytes of a file; null when it is missing or shorter. */
async function hashStart(file: string, bytes: number): Promise<Hash | null> {
  const hash = createHash('sha256');
  if (bytes === 0) return hash;
  let read = 0;
  try {
    for await (const chunk of createReadStream(file, { end: bytes - 1 })) {
      hash.update(chunk as Buffer);
      read += (chunk as Buffer).length;
    }
  } catch (error) {
    if (isMissing(error)) return null;
    throw withPath(error, file);
  }
  return read === bytes ? hash : null;
}

/** Repeats the write until all bytes are written: one call may write fewer. */
async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}
