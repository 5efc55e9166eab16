import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import type { Shard } from '../records/manifest.js';
import type { Sharding } from '../records/run-state.js';
import type { RunFolder } from './run-folder.js';
import { type OutcomeLines, ShardFiles } from './shard-files.js';
import { ShardLayout } from './shard-layout.js';

/**
 * A shard that is written whole or not at all, beside others that other processes write. It grows in a folder that no
 * other process knows, so that two that do the same shard can't harm each other: both write the same.
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
    this.#staging = folder.internalPathTo('partial', `${shard}-${randomUUID()}`);
    this.#files = new ShardFiles(folder, this.#staging, sharding.gzip);
  }

  /**
   * @throws OutputError when the folder cannot be written to
   */
  static async begin(folder: RunFolder, sharding: Sharding, shard: number): Promise<AtomicShard> {
    const begun = new AtomicShard(folder, sharding, shard);
    await wrapIoErrors(folder.path, () => mkdir(begun.#staging, { recursive: true }));
    return begun;
  }

  /** How many records of the input it has taken in. */
  get records(): number {
    return this.#files.records;
  }

  /** Takes in what came of the next record of the input. */
  commit(commit: OutcomeLines): Promise<void> {
    return wrapIoErrors(this.#folder.path, () => this.#files.commit(commit));
  }

  /** Puts the shard into its place; does nothing where another process has done so. */
  async publish(): Promise<Shard | null> {
    try {
      if (await this.#folder.isComplete(this.shard)) return null;
      return await wrapIoErrors(this.#folder.path, () => this.#files.publish(this.shard, this.#first));
    } finally {
      await this.discard();
    }
  }

  /** Forgets the shard. */
  async discard(): Promise<void> {
    await this.#files.close();
    await rm(this.#staging, { recursive: true, force: true });
  }
}
