import { mkdir, rm, stat } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { InputError } from '../errors.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import type { Shard } from '../records/manifest.js';
import type { Progress, Sharding } from '../records/run-state.js';
import type { RunFolder } from './run-folder.js';
import { type OutcomeLines, ShardFiles } from './shard-files.js';

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
  readonly #files: ShardFiles;
  #shard: number;
  #first: number;
  #checkpointed = performance.now();
  #sealing = false;

  private constructor(folder: RunFolder, sharding: Sharding, shards: readonly Shard[]) {
    this.#folder = folder;
    this.#sharding = sharding;
    this.#files = new ShardFiles(folder, folder.internalPathTo('partial'), sharding.gzip);
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
      const found = await stat(folder.pathTo(path)).catch(() => null);
      if (found?.size !== bytes)
        throw new InputError(folder.pathTo(path), 'a finished shard is missing or not as it was');
    }
    const writer = new ShardWriter(folder, sharding, shards);
    await wrapIoErrors(folder.path, async () => {
      await mkdir(folder.internalPathTo('partial'), { recursive: true });
      await mkdir(folder.internalPathTo('shards'), { recursive: true });
      const progress = await folder.progress();
      if (progress?.shard === writer.#shard && (await writer.#intact(progress))) await writer.#files.resume(progress);
      else await rm(folder.internalPathTo('progress.json'), { force: true });
    });
    return writer;
  }

  /** How many records of the input are done. */
  get records(): number {
    return this.#first + this.#files.records;
  }

  /** How many shards are whole. */
  get shards(): number {
    return this.#shard;
  }

  /** Takes in what came of the next record of the input. */
  async commit(commit: OutcomeLines): Promise<void> {
    await wrapIoErrors(this.#folder.path, async () => {
      await this.#files.commit(commit);
      const { records, bytes } = this.#sharding;
      if (this.#files.records >= records || (bytes !== null && this.#files.largestBytes >= bytes)) await this.#seal();
      else if (performance.now() - this.#checkpointed > CHECKPOINT_MILLISECONDS) await this.checkpoint();
    });
  }

  /** Makes what was committed last, without ending the shard. */
  async checkpoint(): Promise<void> {
    // Files that were being moved into place are no longer what a progress could speak of.
    if (this.#sealing) return;
    await wrapIoErrors(this.#folder.path, async () => {
      const progress: Progress = {
        format: 'relflow.progress/1',
        shard: this.#shard,
        first: this.#first,
        ...(await this.#files.sync()),
      };
      await writeFileAtomic(this.#folder.internalPathTo('progress.json'), JSON.stringify(progress));
      this.#checkpointed = performance.now();
    });
  }

  /** Ends the last shard and clears away what is no longer needed. */
  async finish(): Promise<void> {
    await wrapIoErrors(this.#folder.path, async () => {
      if (this.#files.records > 0) await this.#seal();
      // A run that was stopped at the end of a shard has a progress of no records.
      await rm(this.#folder.internalPathTo('progress.json'), { force: true });
      await rm(this.#folder.internalPathTo('partial'), { recursive: true, force: true });
    });
  }

  /** Lets go of open files; what was not checkpointed is forgotten. */
  close(): Promise<void> {
    return this.#files.close();
  }

  /** Whether the files of the shard in work are at least as long as its progress says. */
  async #intact({ files }: Progress): Promise<boolean> {
    for (const [sink, { bytes }] of Object.entries(files)) {
      const found = await stat(this.#folder.internalPathTo('partial', `${sink}.jsonl`)).catch(() => null);
      if (!found || found.size < bytes) return false;
    }
    return true;
  }

  async #seal(): Promise<void> {
    // From here on the files move away, so the progress that speaks of them must go first.
    this.#sealing = true;
    await rm(this.#folder.internalPathTo('progress.json'), { force: true });
    const { records } = await this.#files.publish(this.#shard, this.#first);
    this.#first += records;
    this.#shard++;
    this.#sealing = false;
    this.#checkpointed = performance.now();
  }
}
