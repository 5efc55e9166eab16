import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import type { WrittenFile } from '../files/file-writer.js';
import { makeFolder } from '../files/make-folder.js';
import { getS3File } from '../files/s3/get-s3-file.js';
import { listS3 } from '../files/s3/list-s3.js';
import { keyBelow, readS3Address, type S3Address } from '../files/s3/s3-address.js';
import { TemporaryFolder } from '../files/spools/temporary-folder.js';
import type { Manifest, Shard } from '../records/manifest.js';
import type { Extent, RunState } from '../records/run-state.js';
import { RunFolder } from '../run-folder/run-folder.js';
import { shardNumber } from '../run-folder/shard-number.js';

/** Reads a run in an S3-compatible store. Its small files are checked as those of a folder, in a temporary one. */
export class StoredRun {
  readonly #where: string;
  readonly #address: S3Address;
  readonly #temporary: TemporaryFolder;
  readonly #folder: RunFolder;

  private constructor(where: string, temporary: TemporaryFolder) {
    this.#where = where;
    this.#address = readS3Address(where);
    this.#temporary = temporary;
    this.#folder = new RunFolder(temporary.path);
  }

  static async open(where: string): Promise<StoredRun> {
    return new StoredRun(where, await TemporaryFolder.create(tmpdir()));
  }

  /** Reads the definition of the run; null when there is none. */
  async state(): Promise<RunState | null> {
    await this.#fetch('.relflow/run.json');
    return this.#folder.state();
  }

  /** Reads the manifest; null when the run is not finished. */
  async manifest(): Promise<Manifest | null> {
    await this.#fetch('manifest.json');
    return this.#folder.manifest();
  }

  /** Reads the number of records of the input; null when it is not known. */
  async extent(): Promise<Extent | null> {
    await this.#fetch('.relflow/extent.json');
    return this.#folder.extent();
  }

  /** Reads the marker of a shard; null when the shard is not in the store. */
  async shard(number: number): Promise<Shard | null> {
    await this.#fetch(`.relflow/shards/${shardNumber(number)}.json`);
    return this.#folder.shard(number);
  }

  /** Returns the path of a small file that was read. */
  pathTo(path: string): string {
    return this.#folder.pathTo(path);
  }

  /** Resolves to the numbers of the shards in the store. */
  async shardNumbers(): Promise<Set<number>> {
    const shards = { bucket: this.#address.bucket, prefix: keyBelow(this.#address, '.relflow/shards') };
    const numbers = new Set<number>();
    for await (const { path } of listS3(this.#where, shards))
      if (/^\d{5,}\.json$/.test(path)) numbers.add(Number.parseInt(path, 10));
    return numbers;
  }

  /** Reads a file of the run to a path on disk; null when it is not in the store. */
  async fetch(path: string, file: string): Promise<WrittenFile | null> {
    await makeFolder(dirname(file));
    return getS3File(this.#address, path, file);
  }

  /** Removes the temporary folder. */
  close(): Promise<void> {
    return this.#temporary.remove();
  }

  async #fetch(path: string): Promise<void> {
    const file = this.pathTo(path);
    // What was read before of an object that is now missing.
    if (!(await this.fetch(path, file))) await rm(file, { force: true });
  }
}
