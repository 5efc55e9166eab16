import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../errors.js';
import { openSafetensors } from '../../files/open-safetensors.js';
import type { WeightEntry, WeightSource } from '../../files/weight-source.js';
import { openTorchCheckpoint } from './torch-checkpoint.js';

const MAX_INDEX = 64 << 20;

/**
 * Opens weights by the file's name: `.safetensors`; `.safetensors.index.json`, which lists shards; `.pth`, `.pt`, `.bin` or
 * `.ckpt` of PyTorch. Arrays are read when they are asked for.
 * @throws InputError where the file is not there or not what its name says
 */
export async function openWeights(path: string): Promise<WeightSource> {
  if (!(await stat(path).catch(() => null))?.isFile()) throw new InputError(path, 'no such file');
  if (path.endsWith('.safetensors')) return openSafetensors(path);
  if (path.endsWith('.index.json')) return openShards(path);
  if (/\.(?:pth|pt|bin|ckpt)$/.test(path)) return openTorchCheckpoint(path);
  throw new InputError(path, 'weights of an unknown kind, expected .safetensors, .safetensors.index.json or .pth');
}

async function openShards(path: string): Promise<WeightSource> {
  if ((await stat(path)).size > MAX_INDEX) throw new InputError(path, 'is too long for an index of shards');
  let index: { weight_map?: unknown };
  try {
    index = JSON.parse(await readFile(path, 'utf8')) as typeof index;
  } catch (cause) {
    throw new InputError(path, 'is no JSON', undefined, { cause });
  }
  const map = index?.weight_map;
  if (typeof map !== 'object' || map === null) throw new InputError(path, 'has no weight_map');
  const files = new Map<string, WeightSource>();
  const opened: WeightSource[] = [];
  try {
    for (const file of new Set(Object.values(map))) {
      if (typeof file !== 'string' || basename(file) !== file || !file.endsWith('.safetensors'))
        throw new InputError(path, `names the shard ${JSON.stringify(file)}, expected a .safetensors file beside it`);
      const shard = await openSafetensors(join(dirname(path), file));
      opened.push(shard);
      files.set(file, shard);
    }
    return new Shards(path, new Map(Object.entries(map as Record<string, string>)), files);
  } catch (error) {
    await Promise.all(opened.map((shard) => shard.close()));
    throw error;
  }
}

class Shards implements WeightSource {
  readonly name: string;
  readonly entries: ReadonlyMap<string, WeightEntry>;
  readonly #fileOf: ReadonlyMap<string, string>;
  readonly #files: ReadonlyMap<string, WeightSource>;

  constructor(name: string, fileOf: ReadonlyMap<string, string>, files: ReadonlyMap<string, WeightSource>) {
    this.name = name;
    this.#fileOf = fileOf;
    this.#files = files;
    this.entries = new Map(
      [...fileOf].map(([key, file]) => {
        const entry = files.get(file)!.entries.get(key);
        if (!entry) throw new InputError(name, `says that ${key} is in ${file}, which has none`);
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
