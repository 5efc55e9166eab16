import { basename, dirname, resolve } from 'node:path';
import { OptionError } from '../errors.js';
import { checkImageFolder } from '../files/image-folder.js';
import { folderOfInputs, inputFiles } from '../files/input-files.js';
import type { ImageRecord } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Source, SourceContext, SourceItem } from '../records/ports.js';
import { type CocoDialect, CocoFile } from './coco-file.js';
import { checkNoSharedIds } from './coco-shared-ids.js';

/** Options of `coco`. */
export interface CocoOptions {
  /**
   * Path or glob of annotation files, gzip or not; several files are read one after another in sorted order. No image id
   * may occur in two files.
   */
  readonly annotations: string;
  /**
   * The image folder. If given, images whose file does not exist are rejected (`image-missing`), and the sizes of the
   * files are compared with those of the annotations.
   */
  readonly images?: string;
  /**
   * Name of the data set in records. Default: the annotation file's own, such as `warehouse` for `warehouse.json`;
   * `coco2017` for COCO's own files, `instances_*2017.json`, and always with `compat`.
   */
  readonly dataset?: string;
  /** Name of the split in records. Default: from the file name, `train2017` for `instances_train2017.json`. */
  readonly split?: string;
  /** Handles boxes as RLIPv2 does, see `filterDetections`. Default false. */
  readonly compat?: boolean;
  /** The maximum number of images. Default: all. */
  readonly limit?: number;
  /** The number of bytes held in memory before data is written to the temporary folder. Default 16 MiB. */
  readonly memoryBytes?: number;
}

/**
 * Reads detections in COCO's format. `images`, `annotations` and `categories` may come in any order, annotations sorted
 * or not. Every image, even one without detections, yields a record, in the order of `images`. Memory does not grow
 * with the size of the file.
 *
 * The file of an image is looked for only if `images` is given or if `width` and `height` are missing: at `file_name`
 * below `images`, then at the end of this path, then next to the annotation file and where annotation tools export images
 * (`images`, `data`, `images/train` or `train` for `instances_train.json`; also next to a folder `annotations`), then under the
 * base name in the subfolders of `images`, at last under a name that differs only in case, Unicode form, percent escapes, or
 * `.jpg` and `.jpeg` (`image-found-by-name`). An absolute path, a Windows path or a URL stands for its base name
 * (`path-shortened`). Without `file_name`, `coco_url` is used. A missing size is read from the file (`size-from-image`). If
 * `images` is given, files that do not have the annotated size, or one in proportion, are counted (`image-size-differs`), and so
 * are those that have it only before the rotation that their EXIF orientation asks for (`annotated-before-rotation`).
 *
 * An invalid element is rejected and does not end the run: `malformed-image`, `unsafe-path`, `duplicate-image`,
 * `malformed-annotation`, `unknown-image`, `malformed-category`, `duplicate-category`, `image-missing`,
 * `ambiguous-path`, `image-unreadable` (its size is needed), `too-many-boxes` (about a million in one image), and the
 * rejects of `filterDetections`. An annotation without an id, or with one that is not usable (counted as
 * `bad-annotation-id`), gets the lowest number that no other annotation of its image has. Ids are read as `7`, `7.0` or
 * `'7'`, which are one id and become the number 7 in records; any other text stays as written, and so do the digits of
 * an id beyond 2^53, as a text. An annotation without a box gets the box of its mask, which may be polygons or a
 * run-length encoding (`box-from-mask`). Annotations of rejected images are counted (`refused-image-annotation`).
 *
 * @throws OptionError if an option is missing or out of range
 * Source: the COCO data format, https://cocodataset.org/#format-data
 *
 * @example
 * ```ts
 * import { caption, captionFile, coco, Graph } from 'relflow';
 *
 * const graph = new Graph('coco');
 * graph
 *   .from(coco({ annotations: 'annotations/instances_train2017.json', images: 'train2017' }))
 *   .pipe(caption(captionFile({ captions: 'annotations/captions_train2017.json' })));
 * ```
 */
export function coco(options: CocoOptions): Source<ImageRecord> {
  const { annotations, compat, split } = options;
  const dataset = options.dataset ?? (compat || !annotations ? 'coco2017' : datasetName(annotations));
  return cocoFormatSource('coco', options, {
    source: 'coco',
    dataset,
    split: (file) => split ?? /^instances_(.+?)\.json/.exec(file)?.[1] ?? '',
    imageFiles: (fileName) => [fileName],
    categoryName: (name) => name,
  });
}

/** Returns the name of a data set by its annotation files; that of their folder for a glob such as `*.json`. */
function datasetName(annotations: string): string {
  const name = basename(annotations).replace(/\.json(\.gz)?$/i, '');
  if (/^instances_.*2017$/.test(name)) return 'coco2017';
  const ownName = name.replace(/^instances_.+/, 'instances');
  const isGlob = /[*?[\]{}()]/.test(ownName);
  return (isGlob ? basename(dirname(resolve(annotations))) : ownName) || 'coco';
}

/** Returns a source that reads COCO's format with the differences given by `dialect`. */
export function cocoFormatSource(name: string, options: CocoOptions, dialect: CocoDialect): Source<ImageRecord> {
  const { annotations, images, compat = false, limit, memoryBytes } = options;
  if (!annotations) throw new OptionError(name, "'annotations' is missing, expected a path or a glob");
  if (limit !== undefined) checkPositiveInteger(name, 'limit', limit);
  if (memoryBytes !== undefined) checkPositiveInteger(name, 'memoryBytes', memoryBytes);
  const spool = memoryBytes === undefined ? {} : { memoryBytes };
  return {
    name,
    version: '1',
    options: {
      annotations: basename(annotations),
      dataset: dialect.dataset,
      ...(options.split !== undefined && { split: options.split }),
      compat,
      ...(limit !== undefined && { limit }),
      checksImages: images !== undefined,
    },
    adds: ['image', 'detections', 'origin', 'categories', ...(compat ? ['rawCategories'] : [])],
    files: () => inputFiles(annotations),
    async *read(context: SourceContext): AsyncGenerator<SourceItem<ImageRecord>, void, void> {
      await checkImageFolder(images);
      const files = await inputFiles(annotations);
      await checkNoSharedIds(files, context);
      const annotationFolder = folderOfInputs(annotations);
      let left = limit ?? Number.POSITIVE_INFINITY;
      let itemsBefore = 0;
      for (const file of files) {
        if (left <= 0) return;
        const fileOptions = { dialect, images, annotationFolder, compat, limit: left, itemsBefore, spool };
        const reader = new CocoFile(file, fileOptions, context);
        yield* reader.items();
        left -= reader.images;
        itemsBefore += reader.yielded;
      }
    },
  };
}
