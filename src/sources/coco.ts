import { basename } from 'node:path';
import { OptionError } from '../errors.js';
import { checkImageFolder } from '../files/image-folder.js';
import { inputFiles } from '../files/input-files.js';
import type { ImageRecord } from '../records/image.js';
import type { Source, SourceContext, SourceItem } from '../records/ports.js';
import { type CocoDialect, CocoFile } from './coco-file.js';

/** What a source of annotations in COCO's format is told. */
export interface CocoOptions {
  /** Path or glob of annotation files, gzip or not; several are read one after another, sorted. */
  readonly annotations: string;
  /** The image folder. If given, an image whose file is not there is refused (`image-missing`). */
  readonly images?: string;
  /** Name of the set in records; `coco2017` unless given. */
  readonly dataset?: string;
  /** Name of the split in records; from the file name unless given: `instances_train2017.json` is `train2017`. */
  readonly split?: string;
  /** What RLIPv2 does with boxes, see `filterDetections`. */
  readonly compat?: boolean;
  /** Stop after this many images. */
  readonly limit?: number;
  /** What may be held in memory before it is spilled to the temporary folder, in bytes; 16 MiB unless given. */
  readonly memoryBytes?: number;
}

/**
 * Detections in COCO's format: `images`, `annotations` and `categories` in any order, annotations sorted or not. Every
 * image yields a record, in the order of `images`, also one without detections. Memory does not grow with the file.
 *
 * An element that is of no use is a reject and never ends the run: `malformed-image`, `unsafe-path`, `duplicate-image`,
 * `malformed-annotation`, `unknown-image`, `malformed-category`, `duplicate-category`, `image-missing`, `too-many-boxes`
 * (about a million in one image), and those of `filterDetections`. An annotation without an
 * id gets the first number that no other of its image has. Annotations of refused images are counted together
 * (`refused-image-annotation`), in an item of their own.
 *
 * @throws OptionError where an option is out of range
 * Source: the COCO data format, https://cocodataset.org/#format-data
 */
export function coco(options: CocoOptions): Source<ImageRecord> {
  const { dataset = 'coco2017', split } = options;
  return cocoFormatSource('coco', options, {
    source: 'coco',
    dataset,
    split: (file) => split ?? /^instances_(.+?)\.json/.exec(file)?.[1] ?? '',
    imageFiles: (fileName) => [fileName],
    categoryName: (name) => name,
  });
}

/** A source of COCO's format or one that differs from it as `dialect` says. */
export function cocoFormatSource(name: string, options: CocoOptions, dialect: CocoDialect): Source<ImageRecord> {
  const { annotations, images, compat = false, limit, memoryBytes } = options;
  if (!annotations) throw new OptionError(name, "'annotations' is missing, expected a path or a glob");
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0)) {
    throw new OptionError(name, `limit is ${limit}, expected a whole number above 0`);
  }
  if (memoryBytes !== undefined && !(Number.isSafeInteger(memoryBytes) && memoryBytes > 0)) {
    throw new OptionError(name, `memoryBytes is ${memoryBytes}, expected a whole number above 0`);
  }
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
    adds: ['image', 'detections', 'origin', ...(compat ? ['rawCategories'] : [])],
    files: () => inputFiles(annotations),
    async *read(context: SourceContext): AsyncGenerator<SourceItem<ImageRecord>, void, void> {
      await checkImageFolder(images);
      let left = limit ?? Number.POSITIVE_INFINITY;
      let itemsBefore = 0;
      for (const file of await inputFiles(annotations)) {
        if (left <= 0) return;
        const reader = new CocoFile(file, { dialect, images, compat, limit: left, itemsBefore, spool }, context);
        yield* reader.items();
        left -= reader.images;
        itemsBefore += reader.yielded;
      }
    },
  };
}
