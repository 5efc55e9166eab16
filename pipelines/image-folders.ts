import { readdirSync } from 'node:fs';
import { join } from 'node:path';
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
 * Returns the folders in which a pipeline looks for images: `images`, then the folder of the annotation files. Without
 * `images`, it is the folder of the annotation files if a model reads pixels and images are there.
 */
export function imageFolders(annotations: string, images: string | undefined, readsPixels: boolean): ImageFolders {
  const folder = folderOfInputs(annotations);
  if (images) return { source: images, models: images === folder ? [images] : [images, folder] };
  return readsPixels && hasImages(folder, 1) ? { source: folder, models: [folder] } : {};
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
