import { open } from 'node:fs/promises';
import { isSystemError } from './system-error.js';

/**
 * Makes the entries of a folder durable, such as a rename in it: without it a power cut may undo the rename although
 * something written later survives.
 */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder, and writes its entries in order.
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems do not sync folders.
    if (!isSystemError(error) || !['EINVAL', 'ENOTSUP', 'EBADF'].includes(error.code)) throw error;
  } finally {
    await handle.close();
  }
}
