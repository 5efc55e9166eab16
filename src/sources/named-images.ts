import { basename } from 'node:path/posix';
import { imagePath, pathTails } from '../files/image-path.js';
import { idKey } from '../files/json/json-value.js';
import type { Id } from '../records/image.js';
import { increment } from '../records/increment.js';
import type { CocoImagePaths } from './coco-image-files.js';

/** The extensions that image files have, the usual ones first. */
const extensions = [
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.bmp',
  '.tif',
  '.tiff',
  '.gif',
  '.avif',
  '.JPG',
  '.JPEG',
  '.PNG',
];

/** Returns whether a path ends as image files do. */
export const isImageName = (path: string): boolean => extensions.includes(/\.\w+$/.exec(path)?.[0].toLowerCase() ?? '');

/** Paths of images that may be written without an extension. */
export const namedImages: CocoImagePaths = { imageFiles: (name) => (isImageName(name) ? [name] : named(name)) };

function named(name: string): readonly [string, ...string[]] {
  const path = imagePath(name);
  const ends = path === null ? [] : pathTails(path);
  const [first, ...others] = [name, ...ends].flatMap((one) => extensions.map((extension) => `${one}${extension}`));
  return [first ?? name, ...others];
}

/** Returns ids of files by their paths: the names without extension, or the paths without it where two have the same name. */
export function idsOfPaths(paths: readonly string[]): Id[] {
  const whole = paths.map((path) =>
    (imagePath(path)?.whole ?? path).replace(/\.\w+$/, (end) => (isImageName(end) ? '' : end)),
  );
  const times = new Map<string, number>();
  for (const path of whole) increment(times, basename(path));
  return whole.map((path) => idKey(times.get(basename(path)) === 1 ? basename(path) : path));
}
