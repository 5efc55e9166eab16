import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OptionError } from '../index.js';

/** Returns whether an argument is the path of a user's module and not the name of a pipeline. */
export function isModule(name: string): boolean {
  return /\.[cm]?[jt]s$/.test(name);
}

/**
 * Runs a module that a person has named on the command line, and returns its default export.
 *
 * @param where the command or option in messages
 * @throws OptionError when it cannot be loaded
 */
export async function importModule(where: string, file: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(resolve(file)).href)) as { default?: unknown }).default;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem =
      code === 'ERR_UNKNOWN_FILE_EXTENSION'
        ? `Node ${process.version} does not run TypeScript; use Node 22.18 or later, or install tsx and set NODE_OPTIONS="--import tsx"`
        : message;
    throw new OptionError(where, `cannot load ${file}: ${problem}`);
  }
}
