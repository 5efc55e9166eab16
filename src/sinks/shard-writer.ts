import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import writeFileAtomic from 'write-file-atomic';
import { InputError, OutputError } from '../errors.js';
import type { OutputFile, Shard, StageCounts } from '../records/manifest.js';
import type { Progress, Sharding } from '../records/run-state.js';
import { addStages, sortStages } from '../records/stage-counts.js';
import type { RunFolder } from './run-folder.js';

/** What came of one record of the input, as lines of sinks. */
export interface Commit {
  readonly writes: readonly { readonly sink: string; readonly line: string }[];
  readonly stages: Readonly<Record<string, StageCounts>>;
}

/** A file of the shard in work. */
interface PartialFile {
  readonly handle: FileHandle;
  records: number;
  /** Written and waiting. */
  bytes: number;
  waiting: string[];
  waitingBytes: number;
}

const FLUSH_BYTES = 1 << 18;
const CHECKPOINT_MILLISECONDS = 5000;

/**
 * Cuts a run's lines into shards so that a process killed at any moment can go on where it was.
 *
 * The shard in work grows in `.relflow/partial`; `progress.json` says now and then up to which byte it counts. When it
 * is full its files are renamed into place and then, last, its mark is written. Whatever lies behind the last mark or
 * the last progress is done again, and comes out the same.
 */
export class ShardWriter {
  readonly #folder: RunFolder;
  readonly #sharding: Sharding;
  readonly #files = new Map<string, PartialFile>();
  #shard: number;
  #first: number;
  #records = 0;
  #stages: Record<string, StageCounts> = {};
  #checkpointed = performance.now();
  #sealing = false;

  private constructor(folder: RunFolder, sharding: Sharding, shards: readonly Shard[]) {
    this.#folder = folder;
    this.#sharding = sharding;
    this.#shard = shards.length;
    this.#first = shards.reduce((sum, shard) => sum + shard.records, 0);
  }

  /**
   * Takes a folder up where it was left.
   * @throws InputError where a shard is no longer there
   */
  static async open(folder: RunFolder, sharding: Sharding): Promise<ShardWriter> {
    const shards = await folder.shards();
    for (const { path, bytes } of shards.flatMap(({ files }) => files)) {
      const found = await stat(folder.at(path)).catch(() => null);
      if (found?.size !== bytes) throw new InputError(folder.at(path), 'a finished shard is missing or not as it was');
    }
    const writer = new ShardWriter(folder, sharding, shards);
    await guard(folder.path, async () => {
      await mkdir(folder.inner('partial'), { recursive: true });
      await mkdir(folder.inner('shards'), { recursive: true });
      const progress = await folder.progress();
      if (progress?.shard === writer.#shard && (await writer.#intact(progress))) await writer.#takeUp(progress);
      else await rm(folder.inner('progress.json'), { force: true });
    });
    return writer;
  }

  /** How many records of the input are done. */
  get done(): number {
    return this.#first + this.#records;
  }

  /** How many shards are whole. */
  get shards(): number {
    return this.#shard;
  }

  /** Takes in what came of the next record of the input. */
  async commit({ writes, stages }: Commit): Promise<void> {
    await guard(this.#folder.path, async () => {
      for (const { sink } of writes) if (!this.#files.has(sink)) await this.#begin(sink);
      // From here to the count without a pause: whatever fails afterwards, a record is in all of its files or in none.
      for (const { sink, line } of writes) append(this.#files.get(sink)!, line);
      addStages(this.#stages, stages);
      this.#records++;
      for (const file of this.#files.values()) if (file.waitingBytes >= FLUSH_BYTES) await flush(file);
      const largest = Math.max(0, ...[...this.#files.values()].map((file) => file.bytes));
      if (this.#records >= this.#sharding.records || largest >= this.#sharding.bytes) await this.#seal();
      else if (performance.now() - this.#checkpointed > CHECKPOINT_MILLISECONDS) await this.checkpoint();
    });
  }

  /** Makes what was committed last, without ending the shard. */
  async checkpoint(): Promise<void> {
    // Files that were being moved into place are no longer what a progress could speak of.
    if (this.#sealing) return;
    await guard(this.#folder.path, async () => {
      const files: Progress['files'] = {};
      for (const [sink, file] of this.#files) {
        await flush(file);
        await file.handle.datasync();
        files[sink] = { records: file.records, bytes: file.bytes };
      }
      const progress: Progress = {
        format: 'relflow.progress/1',
        shard: this.#shard,
        first: this.#first,
        records: this.#records,
        stages: this.#stages,
        files,
      };
      await writeFileAtomic(this.#folder.inner('progress.json'), JSON.stringify(progress));
      this.#checkpointed = performance.now();
    });
  }

  /** Ends the last shard and clears away what is no longer needed. */
  async finish(): Promise<void> {
    await guard(this.#folder.path, async () => {
      if (this.#records > 0) await this.#seal();
      await rm(this.#folder.inner('partial'), { recursive: true, force: true });
    });
  }

  /** Lets go of open files; what was not checkpointed is forgotten. */
  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.handle.close().catch(() => {});
    this.#files.clear();
  }

  async #begin(sink: string, from?: { records: number; bytes: number }): Promise<PartialFile> {
    const handle = await open(this.#folder.inner('partial', `${sink}.jsonl`), from ? 'r+' : 'w');
    await handle.truncate(from?.bytes ?? 0);
    const file = { handle, records: from?.records ?? 0, bytes: from?.bytes ?? 0, waiting: [], waitingBytes: 0 };
    this.#files.set(sink, file);
    return file;
  }

  /** Whether the files of the shard in work are at least as long as its progress says. */
  async #intact({ files }: Progress): Promise<boolean> {
    for (const [sink, { bytes }] of Object.entries(files)) {
      const found = await stat(this.#folder.inner('partial', `${sink}.jsonl`)).catch(() => null);
      if (!found || found.size < bytes) return false;
    }
    return true;
  }

  async #takeUp({ records, stages, files }: Progress): Promise<void> {
    this.#records = records;
    this.#stages = stages;
    for (const [sink, from] of Object.entries(files)) await this.#begin(sink, from);
  }

  async #seal(): Promise<void> {
    // From here on the files move away, so the progress that speaks of them must go first.
    this.#sealing = true;
    await rm(this.#folder.inner('progress.json'), { force: true });
    const number = String(this.#shard).padStart(5, '0');
    const files: OutputFile[] = [];
    for (const [sink, file] of [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await flush(file);
      await file.handle.datasync();
      await file.handle.close();
      const path = `${sink}/${number}.jsonl${this.#sharding.gzip ? '.gz' : ''}`;
      const { bytes, sha256 } = await this.#publish(
        this.#folder.inner('partial', `${sink}.jsonl`),
        this.#folder.at(path),
      );
      files.push({ sink, path, records: file.records, bytes, sha256 });
    }
    const shard: Shard = {
      format: 'relflow.shard/1',
      shard: this.#shard,
      first: this.#first,
      records: this.#records,
      stages: sortStages(this.#stages),
      files,
    };
    await writeFileAtomic(this.#folder.inner('shards', `${number}.json`), `${JSON.stringify(shard)}\n`);
    this.#files.clear();
    this.#first += this.#records;
    this.#shard++;
    this.#records = 0;
    this.#stages = {};
    this.#sealing = false;
    this.#checkpointed = performance.now();
  }

  async #publish(partial: string, target: string): Promise<{ bytes: number; sha256: string }> {
    await mkdir(dirname(target), { recursive: true });
    if (!this.#sharding.gzip) {
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
  file.waiting.push(line);
  file.waitingBytes += bytes;
}

async function flush(file: PartialFile): Promise<void> {
  if (file.waiting.length === 0) return;
  const text = `${file.waiting.join('\n')}\n`;
  await writeAll(file.handle, Buffer.from(text), file.bytes - file.waitingBytes);
  file.waiting = [];
  file.waitingBytes = 0;
}

/** A write may take less than it was given. */
async function writeAll(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

/**
 * Size and SHA-256 of a file.
 *
 * @param onRead told of each piece's size in bytes; what it throws ends the reading
 */
export async function checksum(
  file: string,
  onRead?: (bytes: number) => void,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    bytes += (chunk as Buffer).length;
    onRead?.((chunk as Buffer).length);
    hash.update(chunk as Buffer);
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Names the folder in what the system says. */
export async function guard<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = code === undefined ? undefined : PROBLEMS[code];
    if (problem === undefined) throw error;
    throw new OutputError(path, problem, { cause: error });
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; what was written is kept, and `relflow resume` goes on from there',
  EDQUOT: 'the disk quota is used up; what was written is kept, and `relflow resume` goes on from there',
  EFBIG: 'a file would pass the size limit; what was written is kept, and `relflow resume` goes on from there',
  EACCES: 'no permission to write',
  EPERM: 'no permission to write',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'not a folder',
  EEXIST: 'not a folder',
  EISDIR: 'a folder stands where a file is to be written',
  ENOENT: 'the folder is gone',
  EMFILE: 'too many open files; what was written is kept',
  EIO: 'the disk fails; what was written is kept',
};
