import { basename, dirname, relative, sep } from 'node:path';
import type { PixelSize } from '../files/image-header.js';
import { imagePath } from '../files/image-path.js';
import { ImageSearch } from '../files/image-search.js';
import type { ImageElement } from './coco-elements.js';
import { checkedSize, type ImageProblem } from './image-sizes.js';

/** Where a data set in COCO's format has the files of its images. */
export interface CocoImagePaths {
  /** Returns the relative paths at which an image's file may be, the usual one first. */
  imageFiles(fileName: string): readonly [string, ...string[]];
  /** True if no two images of the data set have the same base name. */
  readonly uniqueNames?: boolean;
}

/** Options of `CocoImageFiles`. */
export interface CocoImageFilesOptions {
  readonly dialect: CocoImagePaths;
  /** The image folder; if given, images whose file does not exist are rejected. */
  readonly images: string | undefined;
  /** The folder of all annotation files; images are looked for next to these too. Default: the folder of this file. */
  readonly annotationFolder?: string;
  readonly compat: boolean;
}

/** The path of an image in records, and its size. */
export interface LocatedImage {
  readonly file: string;
  readonly size: PixelSize;
  readonly counts: Readonly<Record<string, number>>;
}

/** Finds the files of the images of an annotation file, and their sizes if they are not annotated. */
export class CocoImageFiles {
  readonly #options: CocoImageFilesOptions;
  readonly #search: ImageSearch;

  /** @param file the annotation file */
  constructor(file: string, options: CocoImageFilesOptions) {
    this.#options = options;
    const { images, dialect, annotationFolder = dirname(file) } = options;
    const below = relative(annotationFolder, dirname(file)).replaceAll(sep, '/');
    const { uniqueNames = false } = dialect;
    this.#search = new ImageSearch({
      folder: images,
      annotations: annotationFolder,
      below,
      subset: subsetOf(basename(file)),
      uniqueNames,
    });
  }

  async find({ fileName, size: annotated, sizeProblem }: ImageElement): Promise<LocatedImage | ImageProblem> {
    const { images, dialect, compat } = this.#options;
    const written = imagePath(fileName)!;
    const candidates = dialect.imageFiles(written.whole);
    const counts: Record<string, number> = {};
    if (images === undefined && annotated !== null) {
      if (written.outside) counts['path-shortened'] = 1;
      const file = written.outside && candidates.length === 1 ? written.file : candidates[0];
      return { file, size: annotated, counts };
    }
    const found = await this.#search.find(written, candidates);
    if (found === null) {
      if (images !== undefined) {
        const more = candidates.length > 3 ? ' or one of other extensions' : '';
        const missing = written.outside ? written.file : `${candidates.slice(0, 3).join(' or ')}${more}`;
        return { reason: 'image-missing', problem: `no file ${missing} in the image folder` };
      }
      const where = 'and no image file to read the size from; give the image folder';
      return { reason: 'malformed-image', problem: `${sizeProblem}, ${where}` };
    }
    if (!('file' in found)) {
      const problem = `${fileName} may be any of ${found.slice(0, 3).join(', ')} in the image folder`;
      return { reason: 'ambiguous-path', problem };
    }
    if (!found.exact || written.outside) counts['image-found-by-name'] = 1;
    const size = await checkedSize(found.folder, found.file, annotated, compat, counts);
    if (size === null)
      return { reason: 'image-unreadable', problem: `${sizeProblem}, and ${found.file} is not a readable image` };
    if ('reason' in size) return size;
    return { file: found.file, size, counts };
  }
}

/** Returns the part of a data set that an annotation file is named after: `train2017` for `instances_train2017.json.gz`. */
function subsetOf(file: string): string {
  const name = file.replace(/(?:\.coco)?\.json(?:\.gz)?$/i, '');
  return /^(?:instances|person_keypoints|annotations)_(.+)$/i.exec(name)?.[1] ?? name;
}
