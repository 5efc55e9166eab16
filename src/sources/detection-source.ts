import type { Image, ImageRecord, Origin } from '../records/image.js';
import type { Source, SourceItem } from '../records/ports.js';
import { type AnnotatedImagesFiles, type AnnotatedImagesOptions, annotatedImagesSource } from './annotated-images.js';
import { scaleBox } from './box-forms.js';
import { filterDetections } from './filter-detections.js';
import type { AnnotatedImage } from './related-record.js';
import { unusedIds } from './unused-ids.js';

/** Options that all sources of detections in other forms than COCO's have. */
export interface DetectionSourceOptions extends AnnotatedImagesOptions {
  /** Name of the split in records. Default: that of the files, if they name one. */
  readonly split?: string;
}

/**
 * Makes a source of images with detections. It finds their files, gives each image once (`duplicate-image`), and filters boxes as
 * `filterDetections` does.
 *
 * @throws OptionError if an option is missing or out of range
 */
export function detectionSource(
  files: Omit<AnnotatedImagesFiles<ImageRecord>, 'adds' | 'record'>,
  { split, ...options }: DetectionSourceOptions,
): Source<ImageRecord> {
  return annotatedImagesSource(
    {
      ...files,
      ...(split !== undefined && { options: { ...files.options, split } }),
      adds: ['image', 'detections', 'origin', 'categories'],
      record: (annotated, image, origin) =>
        detectionRecord(annotated, split === undefined ? image : { ...image, split }, origin),
    },
    options,
  );
}

function detectionRecord(
  { objects, boxesAreFractions = false, categories = [], counts: given }: AnnotatedImage,
  image: Image,
  origin: Origin,
): SourceItem<ImageRecord> {
  const nextUnusedId = unusedIds(objects.map(({ id = null }) => ({ id })));
  const raw = objects.map(({ id, category, box, score }) => ({
    id: id ?? nextUnusedId(),
    category,
    box: boxesAreFractions ? scaleBox(box, image) : box,
    crowd: false,
    score,
  }));
  const { detections, rejects, counts } = filterDetections(raw, image, false);
  return { record: { image, detections, origin, categories }, rejects, counts: { ...given, ...counts } };
}
