import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RecordError } from '../errors.js';
import { safeRelativePath } from './image-folder.js';
import { isInside } from './is-inside.js';

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
  const all = typeof folders === 'string' ? [folders] : folders;
  const candidates = all.map((folder) => ({ folder, path: join(folder, below) }));
  let found = candidates[0];
  if (candidates.length > 1)
    for (const candidate of candidates)
      if ((await stat(candidate.path).catch(() => null))?.isFile()) {
        found = candidate;
        break;
      }
  if (found === undefined) return below;
  if (process.env['RELFLOW_FOLLOW_LINKS'] !== '1' && (await isInside(found.folder, found.path)) === false)
    throw new RecordError(
      'image-outside-folder',
      `a link leads from ${shown} out of the image folder ${found.folder}; give the folder that has the images, or set RELFLOW_FOLLOW_LINKS=1 to follow links`,
    );
  return found.path;
}
