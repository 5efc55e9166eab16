import { join } from 'node:path';
import { RecordError } from '../errors.js';
import { isFile } from './is-file.js';
import { isInside } from './is-inside.js';
import { safeRelativePath } from './safe-relative-path.js';

/**
 * Returns the path of an image's file in the first of several folders that has it; in the first one if none has. The name
 * comes from data: it cannot leave the folder, nor can a link in it, unless the user sets `RELFLOW_FOLLOW_LINKS=1` because
 * the folder consists of links to files elsewhere.
 * @throws RecordError `unsafe-path` or `image-outside-folder`
 */
export async function imageInside(folders: string | readonly string[], file: string): Promise<string> {
  const below = safeRelativePath(file);
  const shown = JSON.stringify(file.slice(0, 200));
  if (below === null) throw new RecordError('unsafe-path', `${shown} is not a path within the image folder`);
  const folder = await folderWithFile(typeof folders === 'string' ? [folders] : folders, below);
  if (folder === undefined) return below;
  const path = join(folder, below);
  if (process.env['RELFLOW_FOLLOW_LINKS'] !== '1' && (await isInside(folder, path)) === false)
    throw new RecordError(
      'image-outside-folder',
      `a link leads from ${shown} out of the image folder ${folder}; give the folder that has the images, or set RELFLOW_FOLLOW_LINKS=1 to follow links`,
    );
  return path;
}

/** Returns the first of several folders that has a file at a path; the first one if none has, or if it is the only one. */
async function folderWithFile(folders: readonly string[], below: string): Promise<string | undefined> {
  if (folders.length > 1) for (const folder of folders) if (await isFile(join(folder, below))) return folder;
  return folders[0];
}
