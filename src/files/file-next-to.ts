import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Returns the first of some files that is in the folder of a file; undefined if there is none. */
export const fileNextTo = (file: string, ...names: readonly string[]): string | undefined =>
  names.map((name) => join(dirname(file), name)).find(existsSync);
