import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import writeFileAtomic from 'write-file-atomic';
import { checksum } from '../files/checksum.js';
import type { OutputFile, Shard, StageCounts } from '../records/manifest.js';
import { addStages, sortStages } from '../records/stage-counts.js';
import { type RunFolder, shardNumber } from './run-folder.js';

/** How much of a shard's file counts. */
export interface FileExtent {
  readonly records: number;
  readonly bytes: number;
}

/** A file of the shard in work. */
interface PartialFile {
  readonly handle: FileHandle;
  records: number;
  /** Written and waiting. */
  bytes: number;
  buffered: string[];
  bufferedBytes: number;
}

/** What came of one record of the input, as lines of sinks. */
export interface OutcomeLines {
  readonly writes: readonly { readonly sink: string; readonly line: string }[];
  readonly stages: Readonly<Record<string, StageCounts>>;
}

/** How much of a shard's files counts, and what of the input is in them. */
export interface ShardExtent {
  readonly records: number;
  readonly stages: Readonly<Record<string, StageCounts>>;
  readonly files: Readonly<Record<string, FileExtent>>;
}

const FLUSH_BYTES = 1 << 18;

/**
 * The files of one shard, a sink each, and what of the input they cover, while they grow in a folder of their own and
 * until they are in their place.
 */
export class ShardFiles {
  readonly #folder: RunFolder;
  readonly #staging: string;
  readonly #gzip: boolean;
  readonly #files = new Map<string, PartialFile>();
  #records = 0;
  #stages: Record<string, StageCounts> = {};

  /** @param staging where the files grow; on the same disk as the run's folder */
  constructor(folder: RunFolder, staging: string, gzip: boolean) {
    this.#folder = folder;
    this.#staging = staging;
    this.#gzip = gzip;
  }

  /** How many records of the input they cover. */
  get records(): number {
    return this.#records;
  }

  /** Bytes of the largest file, uncompressed. */
  get largestBytes(): number {
    return Math.max(0, ...[...this.#files.values()].map((file) => file.bytes));
  }

  /**
   * Takes in what came of the next record. Whatever fails, a record is in all of its files and in the counts, or in none:
   * a file that can't be begun fails before anything is added, and one that can't be written to fails after all is.
   */
  async commit({ writes, stages }: OutcomeLines): Promise<void> {
    for (const { sink } of writes) if (!this.#files.has(sink)) await this.#begin(sink);
    for (const { sink, line } of writes) append(this.#files.get(sink)!, line);
    addStages(this.#stages, stages);
    this.#records++;
    for (const file of this.#files.values()) if (file.bufferedBytes >= FLUSH_BYTES) await flush(file);
  }

  /** Writes what waits down to the disk; how much counts from now on. */
  async sync(): Promise<ShardExtent> {
    const files: Record<string, FileExtent> = {};
    for (const [sink, file] of this.#files) {
      await flush(file);
      await file.handle.datasync();
      files[sink] = { records: file.records, bytes: file.bytes };
    }
    return { records: this.#records, stages: this.#stages, files };
  }

  /** Goes on with files that were left; what lies behind their extent is cut off. */
  async resume({ records, stages, files }: ShardExtent): Promise<void> {
    this.#records = records;
    this.#stages = { ...stages };
    for (const [sink, from] of Object.entries(files)) await this.#begin(sink, from);
  }

  async #begin(sink: string, from: FileExtent = { records: 0, bytes: 0 }): Promise<void> {
    const handle = await open(this.#partial(sink), from.bytes > 0 ? 'r+' : 'w');
    await handle.truncate(from.bytes);
    this.#files.set(sink, { handle, ...from, buffered: [], bufferedBytes: 0 });
  }

  /**
   * Moves the files into their place and then, last, writes the mark that the shard is whole. Another one may be begun.
   *
   * @param first position of its first record in the run's input
   */
  async publish(shard: number, first: number): Promise<Shard> {
    const number = shardNumber(shard);
    const files: OutputFile[] = [];
    for (const [sink, file] of [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await flush(file);
      await file.handle.datasync();
      await file.handle.close();
      const path = `${sink}/${number}.jsonl${this.#gzip ? '.gz' : ''}`;
      files.push({ sink, path, records: file.records, ...(await this.#place(this.#partial(sink), path)) });
    }
    const [records, stages] = [this.#records, sortStages(this.#stages)];
    const mark: Shard = { format: 'relflow.shard/1', shard, first, records, stages, files };
    await mkdir(this.#folder.internalPathTo('shards'), { recursive: true });
    await writeFileAtomic(this.#folder.markerPath(shard), `${JSON.stringify(mark)}\n`);
    this.#files.clear();
    this.#records = 0;
    this.#stages = {};
    return mark;
  }

  /** Lets go of open files; what waits is forgotten. */
  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.handle.close().catch(() => {});
    this.#files.clear();
  }

  #partial(sink: string): string {
    return join(this.#staging, `${sink}.jsonl`);
  }

  async #place(partial: string, path: string): Promise<{ bytes: number; sha256: string }> {
    const target = this.#folder.pathTo(path);
    await mkdir(dirname(target), { recursive: true });
    if (!this.#gzip) {
      const sum = await checksum(partial);
      await rename(partial, target);
      return sum;
    }
    const packed = `${partial}.gz`;
    await pipeline(createReadStream(partial), createGzip(), createWriteStream(packed, { flush: true }));
    const sum = await checksum(packed);
    await rename(packed, target);
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

/** A write may take less than it was given. */
async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}
