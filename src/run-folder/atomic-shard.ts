import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { makeFolder } from '../files/make-folder.js';
import { withCleanup } from '../files/with-cleanup.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import type { Shard } from '../records/manifest.js';
import type { Sharding } from '../records/run-state.js';
import type { RunFolder } from './run-folder.js';
import { type OutcomeLines, ShardFiles } from './shard-files.js';
import { ShardLayout } from './shard-layout.js';

/**
 * Writes a shard that appears only when it is complete, while other processes write other shards. It grows in a folder
 * of its own, so that two processes that write the same shard do not disturb each other: both write the same bytes.
 */
export class AtomicShard {
  readonly shard: number;
  readonly #folder: RunFolder;
  readonly #first: number;
  readonly #staging: string;
  readonly #files: ShardFiles;

  private constructor(folder: RunFolder, sharding: Sharding, shard: number) {
    this.shard = shard;
    this.#folder = folder;
    this.#first = new ShardLayout(sharding).first(shard);
    this.#staging = folder.internalPath('partial', `${shard}-${randomUUID()}`);
    this.#files = new ShardFiles(folder, this.#staging, sharding.gzip);
  }

  /**
   * @throws OutputError when the folder cannot be written to
   */
  static async create(folder: RunFolder, sharding: Sharding, shard: number): Promise<AtomicShard> {
    const created = new AtomicShard(folder, sharding, shard);
    await wrapIoErrors(folder.path, () => makeFolder(created.#staging));
    return created;
  }

  /** Number of records of the input in it so far. */
  get records(): number {
    return this.#files.records;
  }

  /** Adds the lines of the next record of the input. */
  commit(commit: OutcomeLines): Promise<void> {
    return wrapIoErrors(this.#folder.path, () => this.#files.commit(commit));
  }

  /** Moves the shard into place; resolves to null when another process has already completed it. */
  async publish(): Promise<Shard | null> {
    const work = async () => {
      if (await this.#folder.isComplete(this.shard)) return null;
      return wrapIoErrors(this.#folder.path, () => this.#files.publish(this.shard, this.#first));
    };
    return withCleanup(work, () => this.discard());
  }

  /** Removes the shard's files unless it was published. */
  async discard(): Promise<void> {
    await this.#files.close();
    await rm(this.#staging, { recursive: true, force: true });
  }
}
