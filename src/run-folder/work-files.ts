import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { jsonLines } from '../files/json/json-lines.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import { listNames, type RunFolder, shardNumber } from './run-folder.js';
import type { WorkItem } from './work-item.js';

const FLUSH_LENGTH = 1 << 18;

/** The file of what a shard's records wait with for a phase. */
export function workPath(folder: RunFolder, shard: number, phase: number): string {
  return folder.internalPathTo('work', `${shardNumber(shard)}.${phase}.jsonl`);
}

/** The shards that wait, each with the latest phase that it waits for. */
export async function pendingShards(folder: RunFolder): Promise<Map<number, number>> {
  const waiting = new Map<number, number>();
  for (const name of await listNames(folder.internalPathTo('work'))) {
    const [, shard, phase] = /^(\d{5,})\.(\d+)\.jsonl$/.exec(name) ?? [];
    if (shard === undefined) continue;
    waiting.set(Number(shard), Math.max(waiting.get(Number(shard)) ?? 0, Number(phase)));
  }
  return waiting;
}

/** Removes what a shard has waited with for phases up to one. */
export async function removeWork(folder: RunFolder, shard: number, upTo: number): Promise<void> {
  for (let phase = 1; phase <= upTo; phase++) await rm(workPath(folder, shard, phase), { force: true });
}

/**
 * What waits in a file, in the order of the input.
 * @throws InputError where the file is missing, cut off or not what it should be
 */
export async function* readWork(file: string, first: number): AsyncGenerator<WorkItem, void> {
  let next = first;
  for await (const { value, line } of jsonLines(file, { maxLineBytes: 1 << 30 })) {
    const { ordinal, pending } = value as Partial<WorkItem>;
    if (ordinal !== next || !Array.isArray(pending)) throw new InputError(file, `line ${line} is not record ${next}`);
    yield value as WorkItem;
    next++;
  }
}

/** Writes a file of what waits, which appears under its name only when it is whole. */
export class WorkWriter {
  readonly shard: number;
  readonly #folder: RunFolder;
  readonly #file: string;
  readonly #partial: string;
  readonly #handle: FileHandle;
  #lines: string[] = [];
  #length = 0;
  #items = 0;

  private constructor(folder: RunFolder, shard: number, phase: number, partial: string, handle: FileHandle) {
    this.shard = shard;
    this.#folder = folder;
    this.#file = workPath(folder, shard, phase);
    this.#partial = partial;
    this.#handle = handle;
  }

  /** @throws OutputError where the folder can't be written to */
  static begin(folder: RunFolder, shard: number, phase: number): Promise<WorkWriter> {
    return wrapIoErrors(folder.path, async () => {
      await mkdir(folder.internalPathTo('work'), { recursive: true });
      const partial = `${workPath(folder, shard, phase)}.${randomUUID()}.partial`;
      return new WorkWriter(folder, shard, phase, partial, await open(partial, 'wx'));
    });
  }

  /** How many items it has taken in. */
  get items(): number {
    return this.#items;
  }

  async add(item: WorkItem): Promise<void> {
    const line = JSON.stringify(item);
    this.#lines.push(line);
    this.#items++;
    this.#length += line.length;
    if (this.#length >= FLUSH_LENGTH) await wrapIoErrors(this.#folder.path, () => this.#flush());
  }

  /** Puts the file into its place, where nobody has made the shard whole in the meantime. */
  async publish(): Promise<void> {
    await wrapIoErrors(this.#folder.path, async () => {
      await this.#flush();
      await this.#handle.datasync();
      await this.#handle.close();
      await rename(this.#partial, this.#file);
      // Whoever made it whole has taken away what waited before that.
      if (await this.#folder.isComplete(this.shard)) await rm(this.#file, { force: true });
    });
  }

  /** Forgets the file. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(this.#partial, { force: true });
  }

  async #flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    await this.#handle.writeFile(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
    this.#length = 0;
  }
}
