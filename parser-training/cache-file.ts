import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import writeFileAtomic from 'write-file-atomic';
import type { TrainingExample } from './training-example.js';

/** What a training has found so far and leaves for another run. */
export class CacheFile<T> {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** @returns what an earlier run left; undefined where there was none */
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

/** Of all that a training depends on but the program. @param settings JSON of them is hashed */
export function fingerprint(
  settings: unknown,
  examples: readonly TrainingExample[],
  captions: readonly (readonly string[])[] = [],
): string {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const { words, tags, pairs, soft } of examples) {
    hash.update(JSON.stringify([words, [...tags], pairs]));
    if (!soft) continue;
    const { weight: trust, ...beliefs } = soft;
    hash.update(`${trust}`);
    for (const belief of Object.values(beliefs)) hash.update(belief);
  }
  for (const words of captions) hash.update(JSON.stringify(words));
  return hash.digest('hex').slice(0, 16);
}
