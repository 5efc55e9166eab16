import { lstat, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { OutputError } from '../errors.js';
import { ownPaths } from './own-paths.js';
import { sinksOf } from './run-entries.js';
import { RunFolder } from './run-folder.js';

/**
 * Checks, before any work, that a file may be written: that it does not exist, or may be replaced, and that it is not one
 * that a run wrote.
 * @throws OutputError if it may not
 */
export async function checkOutputFile(file: string, overwrite: boolean): Promise<void> {
  const found = await lstat(file).catch(() => null);
  if (found && !found.isFile() && !found.isSymbolicLink())
    throw new OutputError(
      file,
      `is ${found.isDirectory() ? 'a folder' : 'not a regular file'}, expected a file to write`,
    );
  const path = await realPath(resolve(file));
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (await isOfRun(new RunFolder(folder), relative(folder, path).split(sep).join('/')))
      throw new OutputError(file, `is a file of the run in ${folder}, which only that run writes; choose another file`);
    if (folder === dirname(folder)) break;
  }
  if (found && !overwrite)
    throw new OutputError(file, 'already exists; choose another file, or replace it with --overwrite');
}

async function isOfRun(folder: RunFolder, path: string): Promise<boolean> {
  if (!(await lstat(folder.internalPath('run.json')).catch(() => null))) return false;
  if (path.startsWith('.relflow/')) return true;
  // A run that cannot be read has no files that are known.
  const [state, manifest] = await Promise.all([folder.state().catch(() => null), folder.manifest().catch(() => null)]);
  const files = (manifest?.files ?? []).map((file) => file.path);
  return ownPaths({ sinks: sinksOf(state), files }).isFile(path);
}

/** Resolves links in the folders of a path that may not exist yet. */
async function realPath(path: string): Promise<string> {
  const parent = dirname(path);
  if (parent === path) return path;
  const real = await realpath(parent).catch(() => realPath(parent));
  return join(real, relative(parent, path));
}
