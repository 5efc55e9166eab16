import { inputFiles } from '../files/input-files.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { Source, SourceContext } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { type AnnotatedImagesFiles, type AnnotatedImagesOptions, annotatedImagesSource } from './annotated-images.js';
import { type AnnotatedImage, relatedRecord } from './related-record.js';

/** Options that all sources of annotated relations have. */
export type RelatedSourceOptions = AnnotatedImagesOptions;

/** What a source of annotated relations reads. */
export interface RelatedSourceFiles
  extends Pick<AnnotatedImagesFiles<unknown>, 'name' | 'annotations' | 'others' | 'options' | 'dataset' | 'paths'> {
  /** True if its images have `categories`. Default true. */
  readonly listsCategories?: boolean;
  /** True if its images have `captions`. Default false. */
  readonly hasCaptions?: boolean;
  /** Yields the images of one annotation file. */
  read(file: string, context: SourceContext): AsyncIterable<AnnotatedImage>;
}

/**
 * Makes a source of images whose relations people annotated. It finds their files, gives each image once (`duplicate-image`), and
 * filters boxes as `filterDetections` does, keeping duplicate ones.
 *
 * @throws OptionError if an option is missing or out of range
 */
export function relatedSource(
  { listsCategories = true, hasCaptions = false, read, ...files }: RelatedSourceFiles,
  options: RelatedSourceOptions,
): Source<ImageRecord & Related & Partial<Captioned>> {
  const adds = [
    ...['image', 'detections', 'origin'],
    ...(listsCategories ? ['categories'] : []),
    ...(hasCaptions ? ['captions'] : []),
    ...['relations', 'tagger'],
  ];
  return annotatedImagesSource(
    { ...files, adds, record: relatedRecord, read: (context) => imagesOfFiles(files.annotations, read, context) },
    options,
  );
}

/** Yields the images of all files that a path or glob matches. */
export async function* imagesOfFiles(
  annotations: string,
  read: RelatedSourceFiles['read'],
  context: SourceContext,
): AsyncGenerator<readonly [file: string, image: AnnotatedImage], void, void> {
  for (const file of await inputFiles(annotations)) for await (const image of read(file, context)) yield [file, image];
}
