import { rm } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { InputError } from '../errors.js';
import { checksum } from '../files/checksum.js';
import { isMissing } from '../files/is-missing.js';
import { makeFolder } from '../files/make-folder.js';
import { syncFolder } from '../files/sync-folder.js';
import { wrapIoErrors } from '../files/wrap-io-errors.js';
import type { Shard } from '../records/manifest.js';
import type { Progress, Sharding } from '../records/run-state.js';
import { removePartial } from './run-entries.js';
import type { RunFolder } from './run-folder.js';
import { seal } from './sealed-json.js';
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
   * Opens a folder after the last complete shard, or within the shard in progress. The shard in progress starts again
   * when its files or its progress are damaged.
   *
   * @param recompute whether a damaged complete shard, and those after it, are written again instead of an error
   * @param onCheck called with the number of bytes of complete shards that were checked, and of all; an error that it
   *   throws stops the checking
   * @throws InputError when the file of a complete shard is missing or was changed
   */
  static async open(
    folder: RunFolder,
    sharding: Sharding,
    recompute: boolean,
    onCheck: (done: number, total: number) => void = () => {},
  ): Promise<ShardWriter> {
    let shards = await folder.shards();
    const damaged = await damagedFile(folder, shards, onCheck);
    if (damaged !== null) {
      const { shard, path, isMissing } = damaged;
      const problem = `the file of the complete shard ${shard} ${isMissing ? 'is missing' : 'was changed'}`;
      if (!recompute)
        throw new InputError(
          folder.pathTo(path),
          `${problem}: restore it, let \`relflow resume --recompute-damaged\` write it and the later shards again, or start anew with --overwrite`,
        );
      shards = await dropShards(folder, shards, shard);
    }
    const writer = new ShardWriter(folder, sharding, shards);
    await wrapIoErrors(folder.path, async () => {
      await makeFolder(folder.internalPath('partial'));
      await makeFolder(folder.internalPath('shards'));
      const progress = await folder.progress().catch((error) => {
        // A damaged file says nothing; the shard in progress starts again.
        if (error instanceof InputError) return null;
        throw error;
      });
      if (progress?.shard === writer.#shard && (await writer.#files.resume(progress))) return;
      await rm(folder.internalPath('progress.json'), { force: true });
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
      await writeFileAtomic(this.#folder.internalPath('progress.json'), JSON.stringify(seal(progress)));
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

/** A file of a complete shard that does not match its checksum. */
interface DamagedFile {
  readonly shard: number;
  readonly path: string;
  readonly isMissing: boolean;
}

/** Returns the first file of complete shards that does not match the checksum in its marker; null if all do. */
async function damagedFile(
  folder: RunFolder,
  shards: readonly Shard[],
  onCheck: (done: number, total: number) => void,
): Promise<DamagedFile | null> {
  const files = shards.flatMap(({ shard, files }) => files.map((file) => ({ shard, ...file })));
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const { shard, path, sha256 } of files) {
    const sum = await checksum(folder.pathTo(path), (bytes) => {
      done += bytes;
      onCheck(done, total);
    }).catch((error) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (sum?.sha256 !== sha256) return { shard, path, isMissing: sum === null };
  }
  return null;
}

/** Makes a shard and those after it incomplete. @returns the shards before it */
async function dropShards(folder: RunFolder, shards: readonly Shard[], first: number): Promise<Shard[]> {
  await wrapIoErrors(folder.path, async () => {
    await rm(folder.internalPath('progress.json'), { force: true });
    // The last one first: a process that is killed here leaves no marker after a missing one.
    for (const { shard } of shards.slice(first).reverse()) await rm(folder.markerPath(shard), { force: true });
    await syncFolder(folder.internalPath('shards'));
  });
  return shards.slice(0, first);
}
