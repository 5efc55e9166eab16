import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { folderAboveAnnotations } from '../src/files/image-search.js';
import { folderOfInputs } from '../src/files/input-files.js';

/** The image folders of a pipeline; undefined if it has none. */
export interface ImageFolders {
  /** The folder for the source. */
  readonly source?: string;
  /** The folders for models that read pixels, in the order of the search. */
  readonly models?: readonly string[];
}

const imageName = /\.(?:jpe?g|png|webp|gif|tiff?|bmp|avif)$/i;

/**
 * Returns the folders in which a pipeline looks for images: `images`, the folder of the annotation files, and the folder above if
 * that is a folder of annotations alone. Without `images`, it is the first of the two others that has images, if a model reads
 * pixels.
 */
export function imageFolders(annotations: string, images: string | undefined, readsPixels: boolean): ImageFolders {
  const folder = folderOfInputs(annotations);
  const above = folderAboveAnnotations(folder);
  const folders = above === undefined ? [folder] : [folder, above];
  if (images) return { source: images, models: [...new Set([images, ...folders])] };
  if (!readsPixels) return {};
  const found = folders.find((one) => hasImages(one, 2));
  return found === undefined ? {} : { source: found, models: [found] };
}

function hasImages(folder: string, depth: number): boolean {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    if (entries.some((entry) => entry.isFile() && imageName.test(entry.name))) return true;
    return depth > 0 && entries.some((entry) => entry.isDirectory() && hasImages(join(folder, entry.name), depth - 1));
  } catch {
    return false;
  }
}
