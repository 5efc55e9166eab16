import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../errors.js';
import { formatJsonValue } from '../../files/json/json-value.js';
import { type Metadata, openSafetensors } from '../../files/open-safetensors.js';
import { readSmallJson } from '../../files/read-small-file.js';
import type { WeightEntry, WeightSource } from '../../files/weight-source.js';
import { weightsForm } from './foreign-file.js';
import { type CheckpointOptions, openTorchCheckpoint } from './torch-checkpoint.js';

const MAX_INDEX = 16 << 20;

/**
 * Opens a weights file. Its name determines the format: `.safetensors`; `.safetensors.index.json`, an index of shards; or
 * `.pth`, `.pt`, `.bin` or `.ckpt` of PyTorch. Arrays are read on demand.
 * @param options see `openTorchCheckpoint`; they are for checkpoints of PyTorch alone
 * @throws InputError if the file does not exist or does not have the format of its name; it says what the file is instead
 *
 * @example
 * ```ts
 * import { openWeights } from 'relflow/model';
 *
 * const weights = await openWeights('tagger.pth');
 * for (const [name, { shape }] of weights.entries) console.log(name, shape.join(' × '));
 * await weights.close();
 * ```
 */
export async function openWeights(path: string, options: CheckpointOptions = {}): Promise<WeightSource> {
  if (!(await stat(path).catch(() => null))?.isFile()) throw new InputError(path, 'no such file');
  if (/\.(?:pth|pt|bin|ckpt)$/.test(path)) return openTorchCheckpoint(path, options);
  if (options.entry !== undefined)
    throw new InputError(path, `has no entries to choose ${options.entry} from, expected a PyTorch checkpoint`);
  if (path.endsWith('.safetensors')) return openSafetensorsFile(path);
  if (path.endsWith('.index.json')) return openShards(path);
  throw new InputError(
    path,
    'weights of an unknown kind, expected .safetensors, .safetensors.index.json, .pth, .pt, .bin or .ckpt',
  );
}

async function openSafetensorsFile(path: string): Promise<WeightSource> {
  try {
    return await openSafetensors(path);
  } catch (error) {
    // What the file is instead says more than what is wrong with its header.
    const form = await weightsForm(path);
    if (form === 'zip' || form === 'pickle')
      throw new InputError(
        path,
        'is a checkpoint of PyTorch, a zip archive or a pickle, expected safetensors: rename a checkpoint to end in .pth',
      );
    throw error;
  }
}

async function openShards(path: string): Promise<WeightSource> {
  const { size } = await stat(path);
  if (size > MAX_INDEX)
    throw new InputError(path, `has ${size} bytes, expected an index of shards with at most ${MAX_INDEX}`);
  const index = (await readSmallJson(path, MAX_INDEX, 'an index of shards')) as {
    weight_map?: unknown;
    metadata?: unknown;
  } | null;
  const map = index?.weight_map;
  if (typeof map !== 'object' || map === null)
    throw new InputError(path, 'has no weight_map, expected an object of array names and shards');
  const files = new Map<string, WeightSource>();
  const opened: WeightSource[] = [];
  try {
    for (const file of new Set(Object.values(map))) {
      if (typeof file !== 'string' || basename(file) !== file || !file.endsWith('.safetensors'))
        throw new InputError(
          path,
          `names the shard ${formatJsonValue(file)}, expected a .safetensors file in the same folder`,
        );
      const shard = await openSafetensors(join(dirname(path), file));
      opened.push(shard);
      files.set(file, shard);
    }
    const metadata = Object.assign(
      {},
      ...opened.map((shard) => shard.metadata),
      stringsOf(index?.metadata),
    ) as Metadata;
    return new Shards(path, metadata, new Map(Object.entries(map as Record<string, string>)), files);
  } catch (error) {
    await Promise.all(opened.map((shard) => shard.close()));
    throw error;
  }
}

/** Returns the texts of an index's metadata; the size that it also has is computed. */
const stringsOf = (metadata: unknown): Metadata =>
  Object.fromEntries(
    Object.entries((metadata ?? {}) as Record<string, unknown>).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

/** Weights in several safetensors files. */
class Shards implements WeightSource {
  readonly name: string;
  readonly entries: ReadonlyMap<string, WeightEntry>;
  readonly metadata: Metadata;
  readonly #fileOf: ReadonlyMap<string, string>;
  readonly #files: ReadonlyMap<string, WeightSource>;

  constructor(
    name: string,
    metadata: Metadata,
    fileOf: ReadonlyMap<string, string>,
    files: ReadonlyMap<string, WeightSource>,
  ) {
    this.name = name;
    this.metadata = metadata;
    this.#fileOf = fileOf;
    this.#files = files;
    this.entries = new Map(
      [...fileOf].map(([key, file]) => {
        const entry = files.get(file)!.entries.get(key);
        if (!entry) throw new InputError(name, `lists ${key} in shard ${file}, which does not contain it`);
        return [key, entry];
      }),
    );
  }

  read(name: string): Promise<Float32Array> {
    const file = this.#fileOf.get(name);
    if (file === undefined) throw new InputError(this.name, `has no ${name}`);
    return this.#files.get(file)!.read(name);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((shard) => shard.close()));
  }
}
