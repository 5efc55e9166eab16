import { access } from 'node:fs/promises';

/** Resolves to whether a file exists. */
export function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
