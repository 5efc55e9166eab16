import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
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
 * @returns a function that releases the lock and never throws
 * @throws OutputError when another process holds the lock, or the lock file cannot be written
 */
export function lockFolder(folder: string, lockFile: string): Promise<() => Promise<void>> {
  return wrapIoErrors(folder, async () => {
    await makeFolder(dirname(lockFile));
    for (;;) {
      const handle = await open(lockFile, 'a+');
      const isOwner = await lockHandle(handle, folder, lockFile).catch(async (error) => {
        await handle.close().catch(() => {});
        throw error;
      });
      if (isOwner) return () => unlock(handle, lockFile);
      await handle.close();
    }
  });
}

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
 * @returns false when the file was removed meanwhile by an owner that released it
 */
async function lockHandle(handle: FileHandle, folder: string, lockFile: string): Promise<boolean> {
  const { tryLock } = createRequire(import.meta.url)('fs-native-extensions') as NativeExtensions;
  if (!tryLock(handle.fd, LOCKED_BYTE, 1)) {
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
  if (current?.ino !== locked.ino || current.dev !== locked.dev) return false;
  if (locked.nlink > 1n)
    throw new OutputError(lockFile, 'is a hard link to another file, which would be written to; remove it');
  await handle.truncate(0);
  await handle.writeFile(`${process.pid}\n`);
  return true;
}

/** Removes the lock file while it is still locked, then releases it. */
async function unlock(handle: FileHandle, lockFile: string): Promise<void> {
  // Windows can remove a file only after it was closed, when it may be another's; there it stays.
  if (process.platform !== 'win32') await rm(lockFile, { force: true }).catch(() => {});
  await handle.close().catch(() => {});
}
