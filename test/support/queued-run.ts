import assert from 'node:assert/strict';
import { join } from 'node:path';
import { relflow } from './command.js';
import { digests, temporaryFolder } from './folders.js';
import { writeSyntheticCoco } from './synthetic-coco.js';

/** A run to put into queues, and what it writes in one process. */
export interface QueuedRun {
  /** Arguments of `relflow`, without `--out` and `--queue`. */
  readonly run: string[];
  readonly expected: Record<string, string>;
}

/** Prepares a run of `images` images in `shards` shards, and runs it in one process. */
export async function prepareQueuedRun(images: number, shards: number): Promise<QueuedRun> {
  const { annotations, captions } = writeSyntheticCoco(temporaryFolder(), images);
  const run = ['run', 'coco', '--annotations', annotations, '--captions', captions, '--export', 'rlipv2', '--quiet'];
  run.push('--shard-records', String(images / shards));
  const out = join(temporaryFolder(), 'out');
  const { code, stderr } = await relflow([...run, '--out', out]);
  assert.equal(code, 0, stderr);
  return { run, expected: digests(out) };
}
