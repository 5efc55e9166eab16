import { join } from 'node:path';
import { OutputError } from '../errors.js';
import { exists } from './exists.js';
import { describeSystemError, isSystemError } from './system-error.js';

/**
 * Runs work that writes to the folder of a run, and converts every error of the operating system to an OutputError that
 * names the path, the operation and the cause, and says how to continue if the folder has a run.
 * @throws OutputError for errors of the operating system; other errors unchanged
 */
export async function wrapIoErrors<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const problem = NO_FOLDER[error.code];
    if (problem !== undefined && (error.path === undefined || error.path === folder))
      throw new OutputError(folder, problem, { cause: error });
    const advice = (await exists(join(folder, '.relflow', 'run.json'))) ? ADVICE[error.code] : undefined;
    throw new OutputError(folder, `${describeSystemError(error, folder)}${advice ?? ''}`, { cause: error });
  }
}

/**
 * Runs work that writes one file, and converts every error of the operating system to an OutputError that names the
 * path, the operation and the cause.
 * @throws OutputError for errors of the operating system; other errors unchanged
 */
export async function wrapFileErrors<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new OutputError(file, `cannot be written: ${describeSystemError(error, file)}`, { cause: error });
  }
}

/** Problems of the folder itself. */
const NO_FOLDER: Readonly<Record<string, string>> = {
  ENOTDIR: 'not a folder',
  EEXIST: 'not a folder',
  ENOENT: 'the folder no longer exists',
};

const kept = (remedy: string) =>
  `; everything written so far is kept; ${remedy}, then continue with \`relflow resume\``;

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: kept('free some space'),
  EDQUOT: kept('free some space'),
  EFBIG: kept('raise the limit'),
  EMFILE: kept('raise the limit'),
  ENFILE: kept('raise the limit'),
  EROFS: kept('make it writable'),
  EIO: kept('check the disk'),
};
