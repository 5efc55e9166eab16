import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OutputError } from '../../errors.js';
import { makeFolder } from '../make-folder.js';

const live = new Set<string>();

/** A new folder below `parent` for temporary files. It is removed by `remove`, or when the process exits. */
export class TemporaryFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** @throws OutputError if the folder cannot be created */
  static async create(parent: string): Promise<TemporaryFolder> {
    try {
      await makeFolder(parent);
      const path = await mkdtemp(join(parent, 'relflow-'));
      if (live.size === 0) process.on('exit', removeAll);
      live.add(path);
      return new TemporaryFolder(path);
    } catch (error) {
      throw new OutputError(parent, `cannot be used for temporary files: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    if (live.delete(this.path) && live.size === 0) process.off('exit', removeAll);
  }
}

function removeAll(): void {
  for (const path of live) rmSync(path, { recursive: true, force: true });
}
