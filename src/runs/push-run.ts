import { InputError, OutputError } from '../errors.js';
import { checksum } from '../files/checksum.js';
import { listS3 } from '../files/s3/list-s3.js';
import { abortS3Uploads, putS3File } from '../files/s3/put-s3-file.js';
import { readS3Address } from '../files/s3/s3-address.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { shardNumber } from '../run-folder/shard-number.js';
import { runDifference } from './run-difference.js';
import { StoredRun } from './stored-run.js';

/** Options of `pushRun`. */
export interface PushRunOptions {
  /** Stops after the current file, with its reason. */
  readonly signal?: AbortSignal;
  /** Called after each shard with the number of shards that were written, and of those to write. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What `pushRun` has written. */
export interface PushedRun {
  /** Shards that were written now. */
  readonly shards: number;
  /** Complete shards that were in the store before. */
  readonly skipped: number;
  /** Whether the manifest is in the store: the run is finished, and all of it is there. */
  readonly finished: boolean;
}

/**
 * Writes the complete shards of a run to an S3-compatible store, and its exports and manifest if it is finished. Several
 * machines, each with a folder of its own and its part of the run, may write to the same address; `pullRun` brings the shards
 * together. A shard is in the store when its marker is, which is written after its files, and so is the run when its manifest
 * is. Calling it again writes what is new.
 *
 * @param where `s3://bucket/prefix`
 * @throws InputError when the folder contains no run; OutputError when a shard has changed, another run is at the address, or
 * it cannot be written
 *
 * @example
 * ```ts
 * import { Graph, pushRun, runPart, sceneGraphLines, sceneGraphs } from 'relflow';
 *
 * const graph = new Graph('copy');
 * graph.from(sceneGraphLines({ sceneGraphs: 'graphs.jsonl' })).to(sceneGraphs());
 * const { folder } = await runPart(graph, { out: 'part', part: 1, parts: 2 });
 * await pushRun(folder, 's3://bucket/copy');
 * ```
 */
export async function pushRun(
  folder: RunFolder,
  where: string,
  { signal = new AbortController().signal, onProgress }: PushRunOptions = {},
): Promise<PushedRun> {
  const address = readS3Address(where);
  const state = await folder.state();
  if (!state) throw new InputError(folder.path, 'not the output folder of a run');
  const stored = await StoredRun.open(where);
  try {
    const found = await stored.state();
    const difference = found && runDifference(found, state);
    if (difference) throw new OutputError(where, `contains another run: ${difference}`);
    const put = async (path: string, known?: { readonly bytes: number; readonly sha256: string }) => {
      signal.throwIfAborted();
      const file = folder.pathTo(path);
      await putS3File(address, path, { file, ...(known ?? (await checksum(file))) });
    };
    if (found === null) {
      for await (const { path } of listS3(where, address))
        throw new OutputError(where, `contains ${path}, which no run wrote; choose another prefix`);
      await put('.relflow/run.json');
    }
    await abortS3Uploads(address);
    const complete = [...(await folder.completeShards())].sort((a, b) => a - b);
    const there = await stored.shardNumbers();
    let shards = 0;
    const missing = complete.filter((number) => !there.has(number));
    for (const number of missing) {
      const marker = await folder.shard(number);
      if (!marker) continue;
      for (const { path, bytes, sha256 } of marker.files) {
        await checkFile(folder, path, sha256);
        await put(path, { bytes, sha256 });
      }
      await put(`.relflow/shards/${shardNumber(number)}.json`);
      shards++;
      onProgress?.(shards, missing.length);
    }
    if (await folder.extent()) await put('.relflow/extent.json');
    const manifest = await folder.manifest();
    if (manifest) {
      const isShard = new Set((await folder.shards()).flatMap(({ files }) => files.map(({ path }) => path)));
      for (const { path, bytes, sha256 } of manifest.files) {
        if (isShard.has(path)) continue;
        await checkFile(folder, path, sha256);
        await put(path, { bytes, sha256 });
      }
      await put('manifest.json');
    }
    return { shards, skipped: complete.length - shards, finished: manifest !== null };
  } finally {
    await stored.close();
  }
}

async function checkFile(folder: RunFolder, path: string, sha256: string): Promise<void> {
  const file = folder.pathTo(path);
  await folder.checkInside(file);
  const found = await checksum(file).catch(() => null);
  if (found?.sha256 !== sha256)
    throw new OutputError(file, found ? 'does not match its checksum; it was changed' : 'is missing');
}
