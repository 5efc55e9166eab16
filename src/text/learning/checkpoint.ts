import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import writeFileAtomic from 'write-file-atomic';
import type { Example } from './example.js';
import type { TrainingState } from './trainer.js';

/** Where a training that may be cut off leaves what it has learned, epoch by epoch. */
export class Checkpoint {
  readonly #file: string;

  constructor(folder: string, name: string) {
    this.#file = join(folder, `${name}.training`);
  }

  /** @returns what an earlier training left; undefined where there was none */
  read(): TrainingState | undefined {
    return existsSync(this.#file) ? (deserialize(readFileSync(this.#file)) as TrainingState) : undefined;
  }

  write(state: TrainingState): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileAtomic.sync(this.#file, serialize(state));
  }

  remove(): void {
    rmSync(this.#file, { force: true });
  }
}

/** Of all that a training depends on but the program. @param settings JSON of them is hashed */
export function fingerprint(
  settings: unknown,
  examples: readonly Example[],
  captions: readonly (readonly string[])[] = [],
): string {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const { words, tags, pairs, soft } of examples) {
    hash.update(JSON.stringify([words, [...tags], pairs]));
    if (soft) for (const part of [soft.tags, soft.labels, soft.owners]) hash.update(part);
  }
  for (const words of captions) hash.update(JSON.stringify(words));
  return hash.digest('hex').slice(0, 16);
}
