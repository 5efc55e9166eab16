import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { OutputError } from '../errors.js';
import { isMissing } from './is-missing.js';
import { makeFolder } from './make-folder.js';
import { wrapIoErrors } from './wrap-io-errors.js';

/**
 * Locks a folder against other processes, and against other callers in this one. The lock belongs to the operating
 * system (an open-file-description lock on Linux), which releases it when the process ends, however it ends: no lock
 * is ever stale, and no clock or process id decides who owns it.
 *
 * @param folder named in errors
 * @param lockFile in the folder; it and its parent folders are created. It contains the id of the process
 * @param patience how long to wait for another owner to release the lock, in milliseconds
 * @returns a function that releases the lock and never throws
 * @throws OutputError when another process holds the lock, or the lock file cannot be written
 */
export function lockFolder(folder: string, lockFile: string, patience = 0): Promise<() => Promise<void>> {
  return wrapIoErrors(folder, async () => {
    await makeFolder(dirname(lockFile));
    const deadline = performance.now() + patience;
    for (;;) {
      const handle = await open(lockFile, 'a+');
      const isLast = performance.now() >= deadline;
      const outcome = await lockHandle(handle, folder, lockFile, isLast).catch(async (error) => {
        await handle.close().catch(() => {});
        throw error;
      });
      if (outcome === 'locked') return () => unlock(handle, lockFile);
      await handle.close();
      if (outcome === 'held') await setTimeout(RETRY_MILLISECONDS);
    }
  });
}

/** Pause between two attempts to lock. */
const RETRY_MILLISECONDS = 5;

/**
 * The locked byte. It is far beyond the content, because a lock on Windows also prevents others from reading the bytes
 * that it covers.
 */
const LOCKED_BYTE = 2 ** 30;

/** What relflow calls of fs-native-extensions, which has no types. */
interface NativeExtensions {
  /**
   * Locks bytes of an open file exclusively until it is closed.
   * @returns false when another open file has locked them
   */
  tryLock(fd: number, offset: number, length: number): boolean;
}

/**
 * Locks an open lock file and writes the process id to it.
 * @returns 'removed' when the file was removed meanwhile by an owner that released it, 'held' when another owner holds it
 * @throws OutputError when another owner holds it and this is the last attempt
 */
async function lockHandle(
  handle: FileHandle,
  folder: string,
  lockFile: string,
  isLast: boolean,
): Promise<'locked' | 'held' | 'removed'> {
  const { tryLock } = createRequire(import.meta.url)('fs-native-extensions') as NativeExtensions;
  if (!tryLock(handle.fd, LOCKED_BYTE, 1)) {
    if (!isLast) return 'held';
    const owner = (await handle.readFile('utf8')).trim();
    throw new OutputError(
      folder,
      `${owner ? `process ${owner}` : 'another process'} is writing to it; wait until it has ended, or end it`,
    );
  }
  const locked = await handle.stat({ bigint: true });
  const current = await stat(lockFile, { bigint: true }).catch((error) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (current?.ino !== locked.ino || current.dev !== locked.dev) return 'removed';
  if (locked.nlink > 1n)
    throw new OutputError(lockFile, 'is a hard link to another file, which would be written to; remove it');
  await handle.truncate(0);
  await handle.writeFile(`${process.pid}\n`);
  return 'locked';
}

/** Removes the lock file while it is still locked, then releases it. */
async function unlock(handle: FileHandle, lockFile: string): Promise<void> {
  // Windows can remove a file only after it was closed, when it may be another's; there it stays.
  if (process.platform !== 'win32') await rm(lockFile, { force: true }).catch(() => {});
  await handle.close().catch(() => {});
}
