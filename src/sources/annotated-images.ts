import { basename, dirname } from 'node:path';
import { OptionError } from '../errors.js';
import { checkImageFolder } from '../files/image-folder.js';
import { imagePath } from '../files/image-path.js';
import { folderOfInputs, inputFiles } from '../files/input-files.js';
import { formatJsonValue } from '../files/json/json-value.js';
import { IdIndex } from '../files/spools/id-index.js';
import type { Image, Origin } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Source, SourceContext, SourceItem } from '../records/ports.js';
import { CocoImageFiles, type CocoImagePaths } from './coco-image-files.js';
import type { AnnotatedImage } from './related-record.js';

/** Options that all sources of annotated images have. */
export interface AnnotatedImagesOptions {
  /**
   * The image folder. If given, images whose file does not exist are rejected (`image-missing`). Sizes that the annotations
   * lack are read from the files (`size-from-image`), here or where `coco` looks for images without this option.
   */
  readonly images?: string;
  /** Name of the data set in records. */
  readonly dataset?: string;
  /** The maximum number of images. Default: all. */
  readonly limit?: number;
}

/** What a source of annotated images reads, and the records that it makes of it. */
export interface AnnotatedImagesFiles<R> {
  readonly name: string;
  /** Path or glob of the annotation files, or a folder where a format has files in one. */
  readonly annotations: string;
  /** The paths of other files that are read. */
  readonly others?: readonly string[];
  /** Options for manifests, besides those of all such sources. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The name of the data set if the options have none. */
  readonly dataset: string;
  /** The fields of the records. */
  readonly adds: readonly string[];
  /** Where the files of images are below the image folder. Default: at their names. */
  readonly paths?: CocoImagePaths;
  /** True if an annotation file is of one image, so that files of a folder have their images in the same places. */
  readonly oneImageEach?: boolean;
  /** The folder of all annotation files. Default: that of `annotations`. */
  readonly folder?: () => Promise<string>;
  /** Finds the annotation files. Default: those that `annotations` matches. */
  files?(): Promise<readonly string[]>;
  /** Yields the images of all annotation files, each with its file. */
  read(context: SourceContext): AsyncIterable<readonly [file: string, image: AnnotatedImage]>;
  /** Makes the record of an image. */
  record(annotated: AnnotatedImage, image: Image, origin: Origin): SourceItem<R>;
}

const plainPaths: CocoImagePaths = { imageFiles: (fileName) => [fileName] };

/**
 * Makes a source of annotated images. It finds their files, and gives each image once (`duplicate-image`).
 *
 * @throws OptionError if an option is missing or out of range
 */
export function annotatedImagesSource<R>(
  files: AnnotatedImagesFiles<R>,
  { images, dataset = files.dataset, limit }: AnnotatedImagesOptions,
): Source<R> {
  const { name, annotations, others = [], options = {}, adds, paths = plainPaths, oneImageEach = false } = files;
  if (!annotations) throw new OptionError(name, "'annotations' is missing, expected a path or a glob");
  if (limit !== undefined) checkPositiveInteger(name, 'limit', limit);
  return {
    name,
    version: '1',
    options: {
      annotations: basename(annotations),
      ...(others.length > 0 && { files: others.map((file) => basename(file)) }),
      ...options,
      dataset,
      ...(limit !== undefined && { limit }),
      checksImages: images !== undefined,
    },
    adds,
    files: async () => [
      ...(await (files.files?.() ?? inputFiles(annotations))),
      ...(await Promise.all(others.map(inputFiles))).flat(),
    ],
    async *read(context): AsyncGenerator<SourceItem<R>, void, void> {
      await checkImageFolder(images);
      const annotationFolder = (await files.folder?.()) ?? folderOfInputs(annotations);
      const seen = new IdIndex();
      let done = 0;
      let search: CocoImageFiles | undefined;
      let searched: string | undefined;
      for await (const [file, image] of files.read(context)) {
        context.signal.throwIfAborted();
        if (done === limit) return;
        const place = oneImageEach ? dirname(file) : file;
        if (!search || place !== searched) {
          search = new CocoImageFiles(file, { dialect: paths, images, annotationFolder, compat: false });
          searched = place;
        }
        const item = await itemOf(image, search, { source: name, file: basename(file) }, seen);
        yield item;
        if (item.record) context.progress({ phase: 'records', done: ++done, total: null });
      }
    },
  };

  async function itemOf(
    image: AnnotatedImage,
    search: CocoImageFiles,
    origin: Origin,
    seen: IdIndex,
  ): Promise<SourceItem<R>> {
    const { id, fileName, size, split, refused } = image;
    const reject = (reason: string, problem: string) => ({
      rejects: [{ reason, message: `image ${id}: ${problem}`, image: id }],
    });
    if (seen.add(id) === undefined) return reject('duplicate-image', 'occurs more than once; only the first is used');
    if (refused) return reject(refused.reason, refused.problem);
    if (imagePath(fileName) === null)
      return reject('unsafe-path', `${formatJsonValue(fileName)} is not the path of an image`);
    const sizeProblem = 'the annotations have no size';
    const located = await search.find({ id, fileName, size, sizeProblem });
    if ('reason' in located) return reject(located.reason, located.problem);
    const { width, height } = located.size;
    const found = files.record(image, { id, file: located.file, width, height, dataset, split }, origin);
    return { ...found, counts: { ...located.counts, ...found.counts } };
  }
}
