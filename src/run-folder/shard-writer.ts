import { mkdir, rm, stat } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { InputError } from '../errors.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import type { Shard } from '../records/manifest.js';
import type { Progress, Sharding } from '../records/run-state.js';
import { removePartial } from './run-entries.js';
import type { RunFolder } from './run-folder.js';
import { type OutcomeLines, ShardFiles } from './shard-files.js';

const CHECKPOINT_MILLISECONDS = 5000;

/**
 * Divides a run's lines into shards so that a run can resume after its process was killed at any moment.
 *
 * The shard in progress grows in `.relflow/partial`; checkpoints write its committed length to `progress.json`. When it is
 * complete, its files are renamed into place and then its marker is written. Records after the last marker or checkpoint
 * are processed again, with the same result.
 */
export class ShardWriter {
  readonly #folder: RunFolder;
  readonly #sharding: Sharding;
  readonly #files: ShardFiles;
  #shard: number;
  #first: number;
  #checkpointed = performance.now();
  #publishing = false;

  private constructor(folder: RunFolder, sharding: Sharding, shards: readonly Shard[]) {
    this.#folder = folder;
    this.#sharding = sharding;
    this.#files = new ShardFiles(folder, folder.internalPath('partial'), sharding.gzip);
    this.#shard = shards.length;
    this.#first = shards.reduce((sum, shard) => sum + shard.records, 0);
  }

  /**
   * Opens a folder after the last complete shard, or within the shard in progress.
   * @throws InputError when the file of a complete shard is missing or has another size
   */
  static async open(folder: RunFolder, sharding: Sharding): Promise<ShardWriter> {
    const shards = await folder.shards();
    for (const { path, bytes } of shards.flatMap(({ files }) => files)) {
      const found = await stat(folder.pathTo(path)).catch(() => null);
      if (found?.size !== bytes)
        throw new InputError(
          folder.pathTo(path),
          'the file of a complete shard is missing or has another size; restore it, or start anew with --overwrite',
        );
    }
    const writer = new ShardWriter(folder, sharding, shards);
    await wrapIoErrors(folder.path, async () => {
      await mkdir(folder.internalPath('partial'), { recursive: true });
      await mkdir(folder.internalPath('shards'), { recursive: true });
      const progress = await folder.progress();
      if (progress?.shard === writer.#shard && (await writer.#isIntact(progress))) await writer.#files.resume(progress);
      else await rm(folder.internalPath('progress.json'), { force: true });
    });
    return writer;
  }

  /** Number of records of the input done, those of earlier processes included. */
  get records(): number {
    return this.#first + this.#files.records;
  }

  /** Number of complete shards. */
  get shards(): number {
    return this.#shard;
  }

  /** Adds the lines of the next record of the input. */
  async commit(commit: OutcomeLines): Promise<void> {
    await wrapIoErrors(this.#folder.path, async () => {
      await this.#files.commit(commit);
      const { records, bytes } = this.#sharding;
      if (this.#files.records >= records || (bytes !== null && this.#files.largestBytes >= bytes))
        await this.#publish();
      else if (performance.now() - this.#checkpointed > CHECKPOINT_MILLISECONDS) await this.checkpoint();
    });
  }

  /** Makes the committed lines durable without ending the shard. */
  async checkpoint(): Promise<void> {
    // A progress file cannot describe files that are being moved into place.
    if (this.#publishing) return;
    await wrapIoErrors(this.#folder.path, async () => {
      const progress: Progress = {
        format: 'relflow.progress/1',
        shard: this.#shard,
        first: this.#first,
        ...(await this.#files.sync()),
      };
      await writeFileAtomic(this.#folder.internalPath('progress.json'), JSON.stringify(progress));
      this.#checkpointed = performance.now();
    });
  }

  /** Publishes the last shard and removes the folder of the shard in progress. */
  async finish(): Promise<void> {
    await wrapIoErrors(this.#folder.path, async () => {
      if (this.#files.records > 0) await this.#publish();
      // A run that was stopped at the end of a shard has a progress of no records.
      await rm(this.#folder.internalPath('progress.json'), { force: true });
      await removePartial(this.#folder);
    });
  }

  /** Closes open files; lines after the last checkpoint are lost. */
  close(): Promise<void> {
    return this.#files.close();
  }

  /** Resolves to whether the files of the shard in progress have at least their committed length. */
  async #isIntact({ files }: Progress): Promise<boolean> {
    for (const [sink, { bytes }] of Object.entries(files)) {
      const found = await stat(this.#folder.internalPath('partial', `${sink}.jsonl`)).catch(() => null);
      if (!found || found.size < bytes) return false;
    }
    return true;
  }

  async #publish(): Promise<void> {
    // The files move away from here on, so the progress that describes them is removed first.
    this.#publishing = true;
    await rm(this.#folder.internalPath('progress.json'), { force: true });
    const { records } = await this.#files.publish(this.#shard, this.#first);
    this.#first += records;
    this.#shard++;
    this.#publishing = false;
    this.#checkpointed = performance.now();
  }
}
