import { randomUUID } from 'node:crypto';
import { lstat, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OutputError } from '../../errors.js';
import { listNames } from '../../files/list-names.js';
import { nameEntries, type OwnPaths, parentsOf, removeEntries, sortEntries } from '../../files/own-entries.js';
import { readSmallJson } from '../../files/read-small-file.js';
import { uuidPattern } from '../../files/uuid-pattern.js';
import type { ExportManifest } from '../../records/export-manifest.js';
import { fitsSchema } from '../../records/schema-problem.js';

/** Name of the file that lists the files of an exported folder. */
export const EXPORT_MANIFEST = 'relflow-export.json';

/** A maximum for the manifest of an exported folder in bytes; one of 100,000 files has about 15 MB. */
const MAX_BYTES = 64 << 20;

/**
 * Checks, before any work, that an export may write a folder: that nothing is at its place, or an empty folder, or an
 * earlier export that may be replaced and has no other files in it.
 * @throws OutputError if it may not
 */
export async function checkOutputFolder(path: string, overwrite: boolean): Promise<void> {
  await restoreReplaced(path);
  const found = await lstat(path).catch(() => null);
  if (!found) return;
  if (!found.isDirectory()) throw new OutputError(path, 'is not a folder, expected a folder to write');
  const { foreign, files } = await sortEntries(path, await ownFiles(path));
  if (foreign.length > 0)
    throw new OutputError(path, `contains ${nameEntries(foreign)}, which no export wrote; choose another folder`);
  if (files.length > 0 && !overwrite)
    throw new OutputError(path, 'already contains an export; choose another folder, or replace it with --overwrite');
}

/** Returns a name next to a folder for the earlier export that a new one replaces. */
export const replacedName = (path: string): string => `${path}.${randomUUID()}.replaced`;

/** Removes the files of an earlier export, links to images but not what they lead to, and the folder if it is then empty. */
export async function removeExport(path: string): Promise<void> {
  const entries = await sortEntries(path, await ownFiles(path));
  for (const link of entries.links) await unlink(join(path, link));
  await removeEntries(path, entries);
  await removeEntries(dirname(path), { files: [], folders: [basename(path)] });
}

/** Puts an earlier export back at its place, if the process that replaced it ended between its two renames. */
async function restoreReplaced(path: string): Promise<void> {
  if (await lstat(path).catch(() => null)) return;
  const pattern = new RegExp(String.raw`\.${uuidPattern}\.replaced$`);
  const name = basename(path);
  const replaced = (await listNames(dirname(path))).filter(
    (other) => pattern.test(other) && other.replace(pattern, '') === name,
  );
  if (replaced.length === 1) await rename(join(dirname(path), replaced[0] as string), path);
}

async function ownFiles(folder: string): Promise<OwnPaths> {
  const manifest = await readSmallJson(join(folder, EXPORT_MANIFEST), MAX_BYTES).catch(() => null);
  const files = new Set([EXPORT_MANIFEST, ...(isManifest(manifest) ? manifest.files.map(({ path }) => path) : [])]);
  const folders = new Set([...files].flatMap(parentsOf));
  return { isFile: (path) => files.has(path), isFolder: (path) => folders.has(path) };
}

function isManifest(value: unknown): value is ExportManifest {
  return fitsSchema('export', value);
}
