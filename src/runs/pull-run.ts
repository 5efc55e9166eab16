import { copyFile, lstat, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError, OutputError } from '../errors.js';
import { checksum } from '../files/checksum.js';
import { lockFolder } from '../files/lock-folder.js';
import { makeFolder } from '../files/make-folder.js';
import { readS3Address, s3Name } from '../files/s3/s3-address.js';
import { TemporaryFolder } from '../files/spools/temporary-folder.js';
import { syncFolder } from '../files/sync-folder.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { partialName } from '../files/write-atomically.js';
import type { OutputFile } from '../records/manifest.js';
import type { RunState } from '../records/run-state.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { shardNumber } from '../run-folder/shard-number.js';
import { removeIntermediateFiles } from './finish-run.js';
import { checkRunState } from './prepare-run.js';
import { runDifference } from './run-difference.js';
import { StoredRun } from './stored-run.js';

/** Options of `pullRun`. */
export interface PullRunOptions {
  /** Stops after the current file, with its reason. */
  readonly signal?: AbortSignal;
  /** Called after each shard with the number of shards that were looked at, and of all in the store. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What `pullRun` has read. */
export interface PulledRun {
  /** Shards that were read now. */
  readonly shards: number;
  /** Shards that the folder had before. */
  readonly skipped: number;
  /** Shards in the store of which a file is missing or does not match its checksum, and why. */
  readonly refused: readonly { readonly shard: number; readonly problem: string }[];
  /** Whether the run is finished. */
  readonly finished: boolean;
}

/**
 * Reads the shards of a run from an S3-compatible store into a folder, where `finishRun` finishes it; a finished run is read
 * with its exports and manifest. Every file is compared with its checksum. Shards that the folder has are left as they are, so that
 * an interrupted call is continued by calling it again.
 *
 * @param where `s3://bucket/prefix`, see `pushRun`
 * @throws InputError when there is no run at the address, or it cannot be read; OutputError when the folder contains something
 * else or cannot be written
 *
 * @example
 * ```ts
 * import { pullRun, RunFolder } from 'relflow';
 *
 * const { shards, refused } = await pullRun('s3://bucket/copy', new RunFolder('out'));
 * console.log(shards, refused);
 * ```
 */
export async function pullRun(
  where: string,
  folder: RunFolder,
  { signal = new AbortController().signal, onProgress }: PullRunOptions = {},
): Promise<PulledRun> {
  const stored = await StoredRun.open(where);
  try {
    const state = await stored.state();
    if (!state) throw new InputError(where, 'contains no run');
    await checkFolder(folder, state);
    const release = await lockFolder(folder.path, folder.lock);
    try {
      return await wrapIoErrors(folder.path, () => pull(stored, where, folder, signal, onProgress));
    } finally {
      await release();
    }
  } finally {
    await stored.close();
  }
}

async function checkFolder(folder: RunFolder, state: RunState): Promise<void> {
  const found = await folder.state();
  if (!found) await checkRunState(folder, state, false, false);
  const difference = found && runDifference(found, state);
  if (difference) throw new OutputError(folder.path, `contains another run: ${difference}`);
}

async function pull(
  stored: StoredRun,
  where: string,
  folder: RunFolder,
  signal: AbortSignal,
  onProgress: PullRunOptions['onProgress'],
): Promise<PulledRun> {
  const place = async (path: string) => {
    const target = folder.pathTo(path);
    if (await lstat(target).catch(() => null)) return;
    await makeFolder(dirname(target));
    const partial = partialName(target);
    await copyFile(stored.pathTo(path), partial);
    await rename(partial, target);
    await syncFolder(dirname(target));
  };
  await place('.relflow/run.json');
  const numbers = [...(await stored.shardNumbers())].sort((a, b) => a - b);
  const complete = await folder.completeShards();
  const refused: { shard: number; problem: string }[] = [];
  let shards = 0;
  for (const [index, number] of numbers.entries()) {
    signal.throwIfAborted();
    if (!complete.has(number)) {
      const problem = await pullShard(stored, where, folder, number);
      if (problem === null) {
        await place(`.relflow/shards/${shardNumber(number)}.json`);
        shards++;
      } else refused.push({ shard: number, problem });
    }
    onProgress?.(index + 1, numbers.length);
  }
  const manifest = refused.length === 0 ? await stored.manifest() : null;
  if (!manifest && (await stored.extent())) await place('.relflow/extent.json');
  if (manifest) {
    for (const file of manifest.files) {
      if (/\//.test(file.path)) continue;
      const problem = await pullFile(stored, where, folder, file);
      if (problem !== null) throw new InputError(where, problem);
    }
    await place('manifest.json');
    await removeIntermediateFiles(folder);
  }
  const skipped = numbers.length - shards - refused.length;
  return { shards, skipped, refused, finished: manifest !== null };
}

/** Reads the files of a shard; returns why it cannot be used, if it cannot. */
async function pullShard(stored: StoredRun, where: string, folder: RunFolder, number: number): Promise<string | null> {
  const marker = await stored.shard(number).catch((error: unknown) => {
    if (error instanceof InputError) return `its marker ${error.message.slice(error.message.indexOf(': ') + 2)}`;
    throw error;
  });
  if (typeof marker === 'string') return marker;
  if (marker?.shard !== number) return 'its marker is missing, or that of another shard';
  for (const file of marker.files) {
    const isOwn = new RegExp(`^[a-z][a-z0-9-]*/${shardNumber(number)}\\.jsonl(?:\\.gz)?$`).test(file.path);
    const problem = isOwn ? await pullFile(stored, where, folder, file) : `${file.path} is not a file of a shard`;
    if (problem !== null) return problem;
  }
  return null;
}

/** Reads a file, which appears when it is complete and matches its checksum; returns why it does not, if it does not. */
async function pullFile(
  stored: StoredRun,
  where: string,
  folder: RunFolder,
  { path, sha256 }: OutputFile,
): Promise<string | null> {
  const target = folder.pathTo(path);
  if (await lstat(target).catch(() => null)) {
    if ((await checksum(target)).sha256 === sha256) return null;
    // Of a shard without a marker, or of an export of a run without a manifest: this run has not completed it.
    if (!/\//.test(path)) throw new OutputError(target, 'already exists with other content; move it away');
  }
  const temporary = await TemporaryFolder.create(folder.internalPath('tmp'));
  const partial = join(temporary.path, 'file');
  try {
    const name = s3Name(readS3Address(where), path);
    const found = await stored.fetch(path, partial);
    if (!found) return `${name} is missing`;
    if (found.sha256 !== sha256) return `${name} does not match its checksum`;
    await makeFolder(dirname(target));
    await rename(partial, target);
    await syncFolder(dirname(target));
    return null;
  } finally {
    await temporary.remove();
  }
}
