import { OutputError } from '../errors.js';

/**
 * Runs `work` and converts common errors of the file system to OutputErrors that name the path and say what to do.
 * @throws OutputError for errors of the file system that have a message below; other errors unchanged
 */
export async function wrapIoErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = code === undefined ? undefined : PROBLEMS[code];
    if (problem === undefined) throw error;
    throw new OutputError(path, problem, { cause: error });
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; everything written so far is kept; free some space, then continue with `relflow resume`',
  EDQUOT:
    'the disk quota is exhausted; everything written so far is kept; free some space, then continue with `relflow resume`',
  EFBIG:
    'a file would exceed the size limit; everything written so far is kept; raise the limit, then continue with `relflow resume`',
  EACCES: 'no permission to write',
  EPERM: 'no permission to write',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'not a folder',
  EEXIST: 'not a folder',
  EISDIR: 'expected a file, found a folder',
  ENOENT: 'the folder no longer exists',
  EMFILE: 'too many open files; everything written so far is kept',
  EIO: 'the disk reported an error; everything written so far is kept',
};
