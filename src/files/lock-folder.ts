import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { OutputError } from '../errors.js';

/**
 * Locks a folder against other processes of this machine; takes over a lock whose process has ended.
 *
 * @param folder named in errors
 * @param lockFile in the folder; it and its parent folders are created
 * @returns a function that releases the lock
 * @throws OutputError when another process holds the lock, or the lock file cannot be written
 */
export async function lockFolder(folder: string, lockFile: string): Promise<() => Promise<void>> {
  // Absolute, so that one folder has one name in `held`.
  const file = resolve(lockFile);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new OutputError(folder, `cannot be written to: ${(error as Error).message}`, { cause: error });
    }
    const owner = Number(await readFile(file, 'utf8').catch(() => ''));
    if (owner === process.pid ? held.has(file) : isAlive(owner)) {
      throw new OutputError(
        folder,
        `process ${owner} is writing to it; if that process is not relflow, delete ${file}`,
      );
    }
    await writeFile(file, String(process.pid));
  }
  held.add(file);
  return async () => {
    held.delete(file);
    await rm(file, { force: true });
  };
}

/**
 * The locks that this process holds. A lock file with this process id that is not in the set is from an earlier
 * process.
 */
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
