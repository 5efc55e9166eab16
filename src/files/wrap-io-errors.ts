import { OutputError } from '../errors.js';

/** Names the folder in what the system says. */
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
  ENOSPC: 'the disk is full; what was written is kept, and `relflow resume` goes on from there',
  EDQUOT: 'the disk quota is used up; what was written is kept, and `relflow resume` goes on from there',
  EFBIG: 'a file would pass the size limit; what was written is kept, and `relflow resume` goes on from there',
  EACCES: 'no permission to write',
  EPERM: 'no permission to write',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'not a folder',
  EEXIST: 'not a folder',
  EISDIR: 'a folder stands where a file is to be written',
  ENOENT: 'the folder is gone',
  EMFILE: 'too many open files; what was written is kept',
  EIO: 'the disk fails; what was written is kept',
};
