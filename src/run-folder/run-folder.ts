import { join } from 'node:path';
import { InputError } from '../errors.js';
import { exists } from '../files/exists.js';
import { isInside } from '../files/is-inside.js';
import { isMissing } from '../files/is-missing.js';
import { parseNestedJson } from '../files/json/parse-json.js';
import { listNames } from '../files/list-names.js';
import { readSmallFile } from '../files/read-small-file.js';
import type { Manifest, Shard } from '../records/manifest.js';
import type { Extent, Progress, RunState } from '../records/run-state.js';
import { schemaProblem, type TypeOf } from '../records/schema-problem.js';
import type { SchemaName } from '../records/schemas.js';
import { schemaLines } from './schema-lines.js';
import { isUnchanged } from './sealed-json.js';
import { shardNumber } from './shard-number.js';

/** Name of the sink of rejected records, which every run has. */
export const REJECTS = 'rejects';

/**
 * Reads a run's output folder:
 *
 * ```
 * manifest.json             written last
 * scene-graphs/00000.jsonl  one folder per sink, one file per shard
 * rejects/00000.jsonl
 * report.json               times; the only file that differs between two equal runs
 * .relflow/run.json         the pipeline, its options, inputs and sharding
 * .relflow/shards/          a marker of each complete shard
 * .relflow/partial/         the shard in progress; .relflow/progress.json says how far it has got
 * .relflow/work/            in a run on many machines: pending records between two phases, one file per shard
 * .relflow/extent.json      in a run on many machines: the number of records of the input
 * ```
 *
 * @example
 * ```ts
 * import { RunFolder } from 'relflow';
 *
 * for await (const { image, relations } of new RunFolder('out').lines('scene-graphs', 'scene-graph')) {
 *   console.log(image.file, relations.length);
 * }
 * ```
 */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Returns the path of a file or folder in this folder. */
  pathTo(...parts: readonly string[]): string {
    return join(this.path, ...parts);
  }

  /** Returns the path of a file or folder that only relflow reads, below `.relflow`. */
  internalPath(...parts: readonly string[]): string {
    return join(this.path, '.relflow', ...parts);
  }

  /** Path of the file that names the process that writes to the folder. */
  get lock(): string {
    return this.internalPath('lock');
  }

  /** Reads the saved state of the run; null when the folder contains no run. */
  state(): Promise<RunState | null> {
    return this.#readJson(this.internalPath('run.json'), 'run');
  }

  /** Reads the manifest; null when the run is not finished. */
  manifest(): Promise<Manifest | null> {
    return this.#readJson(this.pathTo('manifest.json'), 'manifest');
  }

  /** Resolves to whether the run has a manifest. */
  isFinished(): Promise<boolean> {
    return exists(this.pathTo('manifest.json'));
  }

  /** Returns the path of the marker of a complete shard. */
  markerPath(shard: number): string {
    return this.internalPath('shards', `${shardNumber(shard)}.json`);
  }

  /** Reads the progress of the shard in progress; null when there is none. */
  progress(): Promise<Progress | null> {
    return this.#readJson(this.internalPath('progress.json'), 'progress');
  }

  /**
   * Reads the markers of the complete shards, in order.
   * @throws InputError when a shard before another complete one is missing
   */
  async shards(): Promise<Shard[]> {
    const names = (await listNames(this.internalPath('shards'))).filter((name) => /^\d{5,}\.json$/.test(name));
    names.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    const shards: Shard[] = [];
    for (const name of names) {
      const shard = await this.#readJson(this.internalPath('shards', name), 'shard');
      if (shard?.shard !== shards.length) {
        throw new InputError(this.internalPath('shards'), `shard ${shards.length} is missing before ${name}`);
      }
      shards.push(shard);
    }
    return shards;
  }

  /** Reads the marker of a shard; null when the shard is not complete. */
  shard(shard: number): Promise<Shard | null> {
    return this.#readJson(this.markerPath(shard), 'shard');
  }

  /** Resolves to whether a shard is complete. */
  async isComplete(shard: number): Promise<boolean> {
    return (await this.shard(shard)) !== null;
  }

  /** Resolves to the numbers of the complete shards; others between them may be incomplete. */
  async completeShards(): Promise<Set<number>> {
    const names = await listNames(this.internalPath('shards'));
    return new Set(names.filter((name) => /^\d{5,}\.json$/.test(name)).map((name) => Number.parseInt(name, 10)));
  }

  /** Reads the number of records of the input; null until a process of a run on many machines has read all of them. */
  extent(): Promise<Extent | null> {
    return this.#readJson(this.internalPath('extent.json'), 'extent');
  }

  /**
   * Checks that no link leads from a path below the folder to a place outside it.
   * @throws InputError when one does
   */
  async checkInside(path: string): Promise<void> {
    if ((await isInside(this.path, path)) === false)
      throw new InputError(path, 'a link leads out of the folder of the run, and is not followed');
  }

  async #readJson<N extends SchemaName>(file: string, schema: N): Promise<TypeOf<N> | null> {
    await this.checkInside(file);
    return readJson(file, schema);
  }

  /** Returns the files of a sink from complete shards, in order. */
  async files(sink: string): Promise<string[]> {
    const shards = await this.shards();
    return shards.flatMap((shard) =>
      shard.files.filter((file) => file.sink === sink).map((file) => this.pathTo(file.path)),
    );
  }

  /**
   * Yields the lines of a sink, in order, each checked against a schema.
   * @throws InputError naming the file and the line that does not fit the schema; the signal's reason once it is aborted
   */
  async *lines<N extends SchemaName>(sink: string, schema: N, signal?: AbortSignal): AsyncGenerator<TypeOf<N>, void> {
    for (const file of await this.files(sink)) {
      await this.checkInside(file);
      for await (const line of schemaLines(file, schema)) {
        signal?.throwIfAborted();
        yield line;
      }
    }
  }
}

/** Maximum size of the files that describe a run; a manifest of 100,000 shards has about 30 MB. */
const MAX_BYTES = 32 << 20;

const DAMAGED = 'it was changed after it was written: restore it, or start anew with --overwrite';

/**
 * Reads a JSON file that relflow wrote; null when it does not exist.
 * @throws InputError when it is not valid JSON, does not fit the schema, or was changed after it was written
 */
async function readJson<N extends SchemaName>(file: string, schema: N): Promise<TypeOf<N> | null> {
  let text: string;
  try {
    text = await readSmallFile(file, MAX_BYTES);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  let value: unknown;
  try {
    value = parseNestedJson(text);
  } catch (error) {
    throw new InputError(file, `is not valid JSON: ${(error as Error).message}; ${DAMAGED}`);
  }
  const problem = schemaProblem(schema, value);
  if (problem !== null) throw new InputError(file, `${problem}; ${DAMAGED}`);
  if (!isUnchanged(value as object)) {
    throw new InputError(file, `does not match its own checksum; ${DAMAGED}`);
  }
  return value as TypeOf<N>;
}
