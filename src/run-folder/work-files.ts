import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../errors.js';
import { jsonLines } from '../files/json/json-lines.js';
import { listNames } from '../files/list-names.js';
import { makeFolder } from '../files/make-folder.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import type { RunFolder } from './run-folder.js';
import { shardNumber } from './shard-number.js';
import { type WorkItem, workItemProblem } from './work-item.js';

const FLUSH_LENGTH = 1 << 18;

/** Returns the path of the file with a shard's pending records for a phase. */
export function workPath(folder: RunFolder, shard: number, phase: number): string {
  return folder.internalPath('work', `${shardNumber(shard)}.${phase}.jsonl`);
}

/** Resolves to the shards with pending records, each with the latest phase that it waits for. */
export async function shardsWithWorkFiles(folder: RunFolder): Promise<Map<number, number>> {
  const waiting = new Map<number, number>();
  for (const name of await listNames(folder.internalPath('work'))) {
    const [, shard, phase] = /^(\d{5,})\.(\d+)\.jsonl$/.exec(name) ?? [];
    if (shard === undefined) continue;
    waiting.set(Number(shard), Math.max(waiting.get(Number(shard)) ?? 0, Number(phase)));
  }
  return waiting;
}

/** Removes a shard's files of pending records for the phases up to one. */
export async function removeWork(folder: RunFolder, shard: number, upTo: number): Promise<void> {
  for (let phase = 1; phase <= upTo; phase++) await rm(workPath(folder, shard, phase), { force: true });
}

/**
 * Yields the pending records of a file, in the order of the input.
 *
 * @param first position of the first record in the input
 * @param nodes ids of the graph's nodes
 * @throws InputError when the file is missing, truncated or has other records
 */
export async function* readWork(
  file: string,
  first: number,
  nodes: ReadonlySet<string>,
): AsyncGenerator<WorkItem, void> {
  let next = first;
  for await (const { value, line } of jsonLines(file, { maxLineBytes: 64 << 20 })) {
    const { ordinal, pending } = value as Partial<WorkItem>;
    if (ordinal !== next || !Array.isArray(pending))
      throw new InputError(file, `line ${line} is not the pending record ${next} of the input, as expected`);
    const problem = workItemProblem(value, nodes);
    if (problem !== null) throw new InputError(file, `line ${line}: ${problem}`);
    yield value as WorkItem;
    next++;
  }
}

/**
 * Writes the file of a shard's pending records for a phase. It appears under its name only when it is complete.
 *
 * @returns the number of records
 * @throws OutputError when the folder cannot be written to
 */
export async function writeWork(
  folder: RunFolder,
  shard: number,
  phase: number,
  items: AsyncIterable<WorkItem>,
): Promise<number> {
  const file = workPath(folder, shard, phase);
  const partial = `${file}.${randomUUID()}.partial`;
  const handle = await wrapIoErrors(folder.path, async () => {
    await makeFolder(dirname(file));
    return open(partial, 'wx');
  });
  let lines: string[] = [];
  let length = 0;
  let records = 0;
  const flush = async () => {
    if (lines.length > 0) await handle.writeFile(`${lines.join('\n')}\n`);
    lines = [];
    length = 0;
  };
  try {
    for await (const item of items) {
      const line = JSON.stringify(item);
      lines.push(line);
      length += line.length;
      records++;
      if (length >= FLUSH_LENGTH) await wrapIoErrors(folder.path, flush);
    }
    await wrapIoErrors(folder.path, async () => {
      await flush();
      await handle.datasync();
      await handle.close();
      await rename(partial, file);
      // The process that completed the shard meanwhile removed only the files that it found.
      if (await folder.isComplete(shard)) await rm(file, { force: true });
    });
    return records;
  } finally {
    await handle.close().catch(() => {});
    await rm(partial, { force: true });
  }
}
