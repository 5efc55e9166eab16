import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { Source } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { type DetectionSourceOptions, detectionSource } from './detection-source.js';
import { labelStudioImages } from './label-studio-file.js';
import { imagesOfFiles, type RelatedSourceOptions, relatedSource } from './related-source.js';

/** Options of `labelStudio`. */
export interface LabelStudioOptions extends RelatedSourceOptions {
  /** Path or glob of the export "JSON" of a project, or of tasks that relflow wrote; gzip or not. */
  readonly annotations: string;
}

const name = 'label-studio';

/**
 * Reads Label Studio's tasks with boxes and relations, as its export "JSON" and `relflow export --format label-studio` write them.
 * The first annotation that was not cancelled is used, a `ground_truth` before others, else the first prediction; a relation of a
 * prediction keeps its score as its confidence. Each label of a relation is a relation; `left` is read from the other end, `bi`
 * both ways. Ids of regions are ids of objects. Boxes are rounded to millionths of a pixel, because percentages are.
 *
 * Polygons get the boxes around them (`box-from-mask`). Dropped and counted: `rotated-box`, `shape-without-box` (brushes, ellipses,
 * points), `region-without-label`, `further-label` (a box has one), `relation-without-label`, `unknown-object` (of a relation),
 * `further-annotation` (other people's, and cancelled ones), `task-without-annotation`. Rejects: `malformed-image`, `unsafe-path`,
 * `duplicate-image`, `image-missing`.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: https://labelstud.io/guide/task_format
 *
 * @example
 * ```ts
 * import { Graph, labelStudio, sceneGraphs } from 'relflow';
 *
 * const graph = new Graph('reviewed');
 * graph.from(labelStudio({ annotations: 'project-1.json', images: 'photos' })).to(sceneGraphs());
 * ```
 */
export function labelStudio(options: LabelStudioOptions): Source<ImageRecord & Related & Partial<Captioned>> {
  const { annotations } = options;
  return relatedSource(
    { name, annotations, dataset: name, listsCategories: false, hasCaptions: true, read: labelStudioImages },
    options,
  );
}

/** Makes a source of the boxes of Label Studio's tasks, without their relations; see `labelStudio`. */
export function labelStudioBoxes(
  options: DetectionSourceOptions & { readonly annotations: string },
): Source<ImageRecord> {
  const { annotations } = options;
  return detectionSource(
    { name, annotations, dataset: name, read: (context) => imagesOfFiles(annotations, withCategories, context) },
    options,
  );
}

/** Yields the images with the names of all labels of the file, which is read twice for them. */
const withCategories: typeof labelStudioImages = async function* (file, context) {
  const names = new Set<string>();
  for await (const { objects } of labelStudioImages(file, context))
    for (const { category } of objects) if (category !== null) names.add(category);
  const categories = [...names].sort();
  for await (const image of labelStudioImages(file, context)) yield { ...image, categories };
};
