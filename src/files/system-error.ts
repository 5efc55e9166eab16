/** An error of the operating system, as Node.js reports it. */
export interface SystemError extends Error {
  /** `ENOSPC`, `EACCES`… */
  readonly code: string;
  /** The operation: `open`, `write`, `fsync`… */
  readonly syscall?: string;
  /** Absent for operations on an open file. */
  path?: string;
}

/** Returns whether an error was reported by the operating system. */
export function isSystemError(error: unknown): error is SystemError {
  if (!(error instanceof Error)) return false;
  const { code, errno } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) && typeof errno === 'number';
}

/**
 * Describes an error of the operating system in one line: the cause, the operation and the code, such as
 * `the disk is full (fsync: ENOSPC)`.
 *
 * @param where the path that the message names already; another path of the error is added
 * @returns null for other errors
 */
export function describeSystemError(error: unknown, where?: string): string | null {
  if (!isSystemError(error)) return null;
  const { code, syscall, path } = error;
  const operation = [syscall, path === where ? undefined : path].filter((part) => part).join(' ');
  return `${CAUSES[code] ?? causeIn(error)} (${operation ? `${operation}: ` : ''}${code})`;
}

/**
 * Adds the path to an error of the operating system that lacks one, as those of open files do.
 * @returns the error
 */
export function withPath(error: unknown, path: string): unknown {
  if (isSystemError(error)) error.path ??= path;
  return error;
}

/** Returns the cause in Node.js's message, `CODE: cause, operation 'path'`. */
function causeIn({ message }: Error): string {
  return /^E[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is exhausted',
  EFBIG: 'a file would exceed the size limit',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  EISDIR: 'expected a file, found a folder',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  EIO: 'the disk reported an error',
  ENAMETOOLONG: 'the name is too long',
};
