import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import writeFileAtomic from 'write-file-atomic';
import type { TrainingExample } from './training-example.js';

/** A value on disk that a training run leaves for a later one. */
export class CacheFile<T> {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Returns the value of an earlier run; undefined if there is none. */
  read(): T | undefined {
    return existsSync(this.#file) ? (deserialize(readFileSync(this.#file)) as T) : undefined;
  }

  write(value: T): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileAtomic.sync(this.#file, serialize(value));
  }

  remove(): void {
    rmSync(this.#file, { force: true });
  }
}

/** Returns a hash of everything that a training depends on except the program. @param settings hashed as JSON */
export function fingerprint(
  settings: unknown,
  examples: readonly TrainingExample[],
  captions: readonly (readonly string[])[] = [],
): string {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const { words, tags, pairs, soft } of examples) {
    hash.update(JSON.stringify([words, [...tags], pairs]));
    if (!soft) continue;
    const { weight, ...probabilities } = soft;
    hash.update(`${weight}`);
    for (const values of Object.values(probabilities)) hash.update(values);
  }
  for (const words of captions) hash.update(JSON.stringify(words));
  return hash.digest('hex').slice(0, 16);
}
