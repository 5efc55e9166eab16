import { access, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { jsonLines } from '../files/json/json-lines.js';
import type { Manifest, Shard } from '../records/manifest.js';
import type { Extent, Progress, RunState } from '../records/run-state.js';
import { schemaProblem, type TypeOf } from '../records/schema-problem.js';
import type { SchemaName } from '../records/schemas.js';

/** The sink of refused records, which every run has. */
export const REJECTS = 'rejects';

/** A shard's number as its files have it. */
export const shardNumber = (shard: number): string => String(shard).padStart(5, '0');

/**
 * A run's output folder:
 *
 * ```
 * manifest.json             written last
 * scene-graphs/00000.jsonl  one folder a sink, one file a shard
 * rejects/00000.jsonl
 * report.json               times; the one file that differs between two equal runs
 * .relflow/run.json         what the run is
 * .relflow/shards/          a mark for each shard that is whole
 * .relflow/partial/         the shard in work, and progress.json beside it
 * .relflow/work/            in a run on many machines: what waits between two phases, a file a shard
 * .relflow/extent.json      in a run on many machines: how long the input is
 * ```
 */
export class RunFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** A path in the folder. */
  pathTo(...parts: readonly string[]): string {
    return join(this.path, ...parts);
  }

  /** A path among what only relflow reads. */
  internalPathTo(...parts: readonly string[]): string {
    return join(this.path, '.relflow', ...parts);
  }

  /** Who writes to the folder, while somebody does. */
  get lock(): string {
    return this.internalPathTo('lock');
  }

  /** What the run is, or null where the folder holds none. */
  state(): Promise<RunState | null> {
    return readJson(this.internalPathTo('run.json'), 'run');
  }

  /** The manifest, or null where the run is not finished. */
  manifest(): Promise<Manifest | null> {
    return readJson(this.pathTo('manifest.json'), 'manifest');
  }

  /** Whether there is a manifest. */
  isFinished(): Promise<boolean> {
    return exists(this.pathTo('manifest.json'));
  }

  /** The mark that a shard is whole. */
  markerPath(shard: number): string {
    return this.internalPathTo('shards', `${shardNumber(shard)}.json`);
  }

  /** How far the shard in work has come, or null where none is. */
  progress(): Promise<Progress | null> {
    return readJson(this.internalPathTo('progress.json'), 'progress');
  }

  /**
   * The marks of whole shards, in order.
   * @throws InputError where one is missing between others
   */
  async shards(): Promise<Shard[]> {
    const names = (await listNames(this.internalPathTo('shards'))).filter((name) => /^\d{5,}\.json$/.test(name));
    names.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    const shards: Shard[] = [];
    for (const name of names) {
      const shard = await readJson(this.internalPathTo('shards', name), 'shard');
      if (shard?.shard !== shards.length) {
        throw new InputError(this.internalPathTo('shards'), `shard ${shards.length} is missing before ${name}`);
      }
      shards.push(shard);
    }
    return shards;
  }

  /** Whether a shard is whole. */
  async isComplete(shard: number): Promise<boolean> {
    return (await readJson(this.markerPath(shard), 'shard')) !== null;
  }

  /** The numbers of the shards that are whole, also where others between them are not. */
  async completeShards(): Promise<Set<number>> {
    const names = await listNames(this.internalPathTo('shards'));
    return new Set(names.filter((name) => /^\d{5,}\.json$/.test(name)).map((name) => Number.parseInt(name, 10)));
  }

  /** How long the input is, or null where nobody has read it to its end, or one process does all of the run. */
  extent(): Promise<Extent | null> {
    return readJson(this.internalPathTo('extent.json'), 'extent');
  }

  /** Takes away what a process that was killed left half-written. */
  async removeTemporaryFiles(): Promise<void> {
    // Slow processes may be writing there, until they notice.
    await rm(this.internalPathTo('tmp'), { recursive: true, force: true, maxRetries: 10 });
    for (const at of [this.path, this.internalPathTo(), this.internalPathTo('shards')]) {
      for (const name of await listNames(at)) {
        // write-file-atomic writes to `<name>.<number>` first, and writeAtomically to `<name>.partial`.
        if (/\.json\.\d+$|\.partial$/.test(name)) await rm(join(at, name), { force: true });
      }
    }
  }

  /** The files of a sink, in order, as far as their shards are whole. */
  async files(sink: string): Promise<string[]> {
    const shards = await this.shards();
    return shards.flatMap((shard) =>
      shard.files.filter((file) => file.sink === sink).map((file) => this.pathTo(file.path)),
    );
  }

  /**
   * The lines of a sink, in order, each checked.
   * @throws InputError where a line does not fit its schema, naming file and line; the signal's reason once it is aborted
   */
  async *lines<N extends SchemaName>(sink: string, schema: N, signal?: AbortSignal): AsyncGenerator<TypeOf<N>, void> {
    for (const file of await this.files(sink)) {
      for await (const line of schemaLines(file, schema)) {
        signal?.throwIfAborted();
        yield line;
      }
    }
  }
}

/**
 * The lines of a JSONL file, each checked.
 * @throws InputError where a line does not fit its schema, naming file and line
 */
export async function* schemaLines<N extends SchemaName>(file: string, schema: N): AsyncGenerator<TypeOf<N>, void> {
  for await (const { value, line } of jsonLines(file)) {
    const problem = schemaProblem(schema, value);
    if (problem !== null) throw new InputError(file, `line ${line}: ${problem}`);
    yield value as TypeOf<N>;
  }
}

/**
 * A JSON file that relflow wrote, or null where there is none.
 * @throws InputError where it is not what it should be
 */
async function readJson<N extends SchemaName>(file: string, schema: N): Promise<TypeOf<N> | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(file, `not JSON: ${(error as Error).message}`);
  }
  const problem = schemaProblem(schema, value);
  if (problem !== null) throw new InputError(file, problem);
  return value as TypeOf<N>;
}

/** Whether there is a file. */
export function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Names in a folder; none where there is no folder. */
export async function listNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}
