/** An error of the operating system, as Node.js reports it. */
export interface SystemError extends Error {
  /** `ENOSPC`, `EACCES`… */
  readonly code: string;
  /** The operation: `open`, `write`, `fsync`… */
  readonly syscall?: string;
  readonly path?: string;
  /** The second path of an operation with two, such as `rename`. */
  readonly dest?: string;
}

/** Returns whether an error was reported by the operating system. */
export function isSystemError(error: unknown): error is SystemError {
  if (!(error instanceof Error)) return false;
  const { code, errno } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) && typeof errno === 'number';
}

/**
 * Describes an error of the operating system in one line: the operation, the cause and its code, such as
 * `fsync failed: no space left on device (ENOSPC)`; null for other errors.
 */
export function describeSystemError(error: unknown): string | null {
  if (!isSystemError(error)) return null;
  const { code, syscall, message } = error;
  // Node.js writes `CODE: cause, operation 'path'`.
  const cause = /^E[A-Z0-9]+: (.+?)(?:, \w+(?: '.*)?)?$/s.exec(message)?.[1] ?? message;
  const text = `${syscall ? `${syscall} failed: ` : ''}${cause}`;
  return text.includes(code) ? text : `${text} (${code})`;
}
