import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OutputError } from '../errors.js';
import type { RunFolder } from './run-folder.js';

/**
 * Keeps other processes of this machine out of a run's folder. A lock whose process is gone is taken over.
 *
 * @returns gives the folder back
 * @throws OutputError where another process writes to the folder, or the folder can't be made
 */
export async function lockFolder(folder: RunFolder): Promise<() => Promise<void>> {
  // One folder has one name, however it was given.
  const file = resolve(folder.lock);
  try {
    await mkdir(folder.inner(), { recursive: true });
    await writeFile(file, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new OutputError(folder.path, `can't be written to: ${(error as Error).message}`, { cause: error });
    }
    const owner = Number(await readFile(file, 'utf8').catch(() => ''));
    if (owner === process.pid ? held.has(file) : isAlive(owner)) {
      throw new OutputError(folder.path, `process ${owner} writes to it; if that is something else, remove ${file}`);
    }
    await writeFile(file, String(process.pid));
  }
  held.add(file);
  return async () => {
    held.delete(file);
    await rm(file, { force: true });
  };
}

/** Locks of this process: one with its number but not in here was left by another process that had the number. */
const held = new Set<string>();

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
