import { basename } from 'node:path';
import { OptionError } from '../errors.js';
import { checkImageFolder } from '../files/image-folder.js';
import { imagePath } from '../files/image-path.js';
import { folderOfInputs, inputFiles } from '../files/input-files.js';
import { formatJsonValue } from '../files/json/json-value.js';
import { IdIndex } from '../files/spools/id-index.js';
import type { ImageRecord } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Source, SourceContext, SourceItem } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { CocoImageFiles, type CocoImagePaths } from './coco-image-files.js';
import { type AnnotatedImage, relatedRecord } from './related-record.js';

/** Options that all sources of annotated relations have. */
export interface RelatedSourceOptions {
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

/** What a source of annotated relations reads. */
export interface RelatedSourceFiles {
  readonly name: string;
  /** Path or glob of the annotation files. */
  readonly annotations: string;
  /** The paths of other files that are read. */
  readonly others?: readonly string[];
  /** Options for manifests, besides those of all such sources. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The name of the data set if the options have none. */
  readonly dataset: string;
  /** True if its images have `categories`. Default true. */
  readonly listsCategories?: boolean;
  /** Where the files of images are below the image folder. Default: at their names. */
  readonly paths?: CocoImagePaths;
  /** Yields the images of one annotation file. */
  read(file: string, context: SourceContext): AsyncIterable<AnnotatedImage>;
}

const plainPaths: CocoImagePaths = { imageFiles: (fileName) => [fileName] };

/**
 * Makes a source of images whose relations people annotated. It finds their files, gives each image once (`duplicate-image`), and
 * filters boxes as `filterDetections` does, keeping duplicate ones.
 *
 * @throws OptionError if an option is missing or out of range
 */
export function relatedSource(
  files: RelatedSourceFiles,
  { images, dataset = files.dataset, limit }: RelatedSourceOptions,
): Source<ImageRecord & Related> {
  const { name, annotations, others = [], options = {}, listsCategories = true, paths = plainPaths, read } = files;
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
    adds: ['image', 'detections', 'origin', ...(listsCategories ? ['categories'] : []), 'relations', 'tagger'],
    files: async () => [...(await inputFiles(annotations)), ...(await Promise.all(others.map(inputFiles))).flat()],
    async *read(context): AsyncGenerator<SourceItem<ImageRecord & Related>, void, void> {
      await checkImageFolder(images);
      const annotationFolder = folderOfInputs(annotations);
      const seen = new IdIndex();
      let done = 0;
      for (const file of await inputFiles(annotations)) {
        const search = new CocoImageFiles(file, { dialect: paths, images, annotationFolder, compat: false });
        const origin = { source: name, file: basename(file) };
        for await (const image of read(file, context)) {
          context.signal.throwIfAborted();
          if (done === limit) return;
          const item = await itemOf(image);
          yield item;
          if (item.record) context.progress({ phase: 'records', done: ++done, total: null });
        }

        async function itemOf(image: AnnotatedImage): Promise<SourceItem<ImageRecord & Related>> {
          const { id, fileName, size, split, refused } = image;
          const reject = (reason: string, problem: string) => ({
            rejects: [{ reason, message: `image ${id}: ${problem}`, image: id }],
          });
          if (seen.add(id) === undefined)
            return reject('duplicate-image', 'occurs more than once; only the first is used');
          if (refused) return reject(refused.reason, refused.problem);
          if (imagePath(fileName) === null)
            return reject('unsafe-path', `${formatJsonValue(fileName)} is not the path of an image`);
          const sizeProblem = 'the annotations have no size';
          const located = await search.find({ id, fileName, size, sizeProblem });
          if ('reason' in located) return reject(located.reason, located.problem);
          const { width, height } = located.size;
          const found = relatedRecord(image, { id, file: located.file, width, height, dataset, split }, origin);
          return { ...found, counts: { ...located.counts, ...found.counts } };
        }
      }
    },
  };
}
