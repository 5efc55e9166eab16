import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import writeFileAtomic from 'write-file-atomic';
import { checksum } from '../files/checksum.js';
import type { OutputFile, Shard, StageCounts } from '../records/manifest.js';
import { addStages, sortStages } from '../records/stage-counts.js';
import type { RunFolder } from './run-folder.js';
import { shardNumber } from './shard-number.js';

/** Committed length of a shard's file. */
export interface FileExtent {
  readonly records: number;
  readonly bytes: number;
}

/** File of the shard in progress. */
interface PartialFile {
  readonly handle: FileHandle;
  records: number;
  /** Written and buffered. */
  bytes: number;
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
      files[sink] = { records: file.records, bytes: file.bytes };
    }
    return { records: this.#records, stages: this.#stages, files };
  }

  /** Continues the files of an earlier process, truncated to their committed length. */
  async resume({ records, stages, files }: ShardExtent): Promise<void> {
    this.#records = records;
    this.#stages = { ...stages };
    for (const [sink, from] of Object.entries(files)) await this.#open(sink, from);
  }

  async #open(sink: string, from: FileExtent = { records: 0, bytes: 0 }): Promise<void> {
    const handle = await open(this.#partial(sink), from.bytes > 0 ? 'r+' : 'w');
    await handle.truncate(from.bytes);
    this.#files.set(sink, { handle, ...from, buffered: [], bufferedBytes: 0 });
  }

  /**
   * Moves the files into place and then writes the marker of the complete shard. After it, another shard can be started.
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
      files.push({ sink, path, records: file.records, ...(await this.#moveIntoPlace(this.#partial(sink), path)) });
    }
    const [records, stages] = [this.#records, sortStages(this.#stages)];
    const marker: Shard = { format: 'relflow.shard/1', shard, first, records, stages, files };
    await mkdir(this.#folder.internalPath('shards'), { recursive: true });
    await writeFileAtomic(this.#folder.markerPath(shard), `${JSON.stringify(marker)}\n`);
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
    return join(this.#staging, `${sink}.jsonl`);
  }

  async #moveIntoPlace(partial: string, path: string): Promise<{ bytes: number; sha256: string }> {
    const target = this.#folder.pathTo(path);
    await mkdir(dirname(target), { recursive: true });
    if (!this.#gzip) {
      const sum = await checksum(partial);
      await rename(partial, target);
      return sum;
    }
    const compressed = `${partial}.gz`;
    await pipeline(createReadStream(partial), createGzip(), createWriteStream(compressed, { flush: true }));
    const sum = await checksum(compressed);
    await rename(compressed, target);
    await rm(partial);
    return sum;
  }
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
  const text = `${file.buffered.join('\n')}\n`;
  await writeAll(file.handle, Buffer.from(text), file.bytes - file.bufferedBytes);
  file.buffered = [];
  file.bufferedBytes = 0;
}

/** Repeats the write until all bytes are written: one call may write fewer. */
async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}
