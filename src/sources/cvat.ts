import { InputError } from '../errors.js';
import { formatJsonValue, readId } from '../files/json/json-value.js';
import { childOf, childText, type XmlElement, xmlElements } from '../files/xml/xml-elements.js';
import type { Box } from '../records/box.js';
import { boxOfCorners } from '../records/corners.js';
import type { ImageRecord } from '../records/image.js';
import type { Source, SourceContext } from '../records/ports.js';
import { type DetectionSourceOptions, detectionSource } from './detection-source.js';
import { isSide } from './image-sizes.js';
import { pointsBox } from './points-box.js';
import type { AnnotatedImage } from './related-record.js';
import { imagesOfFiles } from './related-source.js';

/** Options of `cvat`. */
export interface CvatOptions extends DetectionSourceOptions {
  /** Path or glob of `annotations.xml`, gzip or not. */
  readonly annotations: string;
}

/**
 * Reads detections in CVAT's own format, "CVAT for images 1.1". Polygons and masks get the boxes around them (`box-from-mask`).
 * Other shapes are dropped and counted: `rotated-box`, and `shape-without-box` for lines, points, ellipses, cuboids
 * and skeletons. The categories are the labels of the task.
 *
 * Rejects: `malformed-image`, `unsafe-path`, `duplicate-image`, `image-missing`, and those of `filterDetections`.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/
 *
 * @example
 * ```ts
 * import { cvat, caption, captionFile, Graph } from 'relflow';
 *
 * const graph = new Graph('cvat');
 * graph
 *   .from(cvat({ annotations: 'annotations.xml', images: 'images' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })));
 * ```
 */
export function cvat(options: CvatOptions): Source<ImageRecord> {
  const { annotations } = options;
  return detectionSource(
    { name: 'cvat', annotations, dataset: 'cvat', read: (context) => imagesOfFiles(annotations, cvatImages, context) },
    options,
  );
}

async function* cvatImages(file: string, context: SourceContext): AsyncGenerator<AnnotatedImage, void, void> {
  const onRead = (done: number, total: number) => context.progress({ phase: 'reading', done, total });
  const names = ['meta', 'image', 'track'];
  let categories: readonly string[] = [];
  for await (const element of xmlElements(file, { root: 'annotations', names, signal: context.signal, onRead })) {
    if (element.name === 'track')
      throw new InputError(file, "is in CVAT's format for videos, expected 'CVAT for images 1.1'; export the task so");
    if (element.name === 'meta') categories = labelNames(element);
    else yield cvatImage(element, categories);
  }
}

/** The names of the labels of a task, a job or a project. */
function labelNames(meta: XmlElement): string[] {
  const labels = meta.children.flatMap((owner) => childOf(owner, 'labels')?.children ?? []);
  return [...new Set(labels.flatMap((label) => childText(label, 'name') ?? []))];
}

function cvatImage({ attributes, children }: XmlElement, categories: readonly string[]): AnnotatedImage {
  const { id: written, name = '', subset = '' } = attributes;
  const size = { width: Number(attributes['width']), height: Number(attributes['height']) };
  const counts: Record<string, number> = {};
  const count = (reason: string) => {
    counts[reason] = (counts[reason] ?? 0) + 1;
  };
  const objects = children.flatMap((shape) => {
    const box = shapeBox(shape, count);
    return box ? [{ category: shape.attributes['label'] || null, box }] : [];
  });
  return {
    id: readId(written) ?? readId(name) ?? formatJsonValue(attributes),
    fileName: name,
    size: isSide(size.width) && isSide(size.height) ? size : null,
    split: subset === 'default' ? '' : subset,
    objects,
    relations: [],
    categories,
    counts,
    ...(name === '' && { refused: { reason: 'malformed-image', problem: 'has no name' } }),
  };
}

/** The box of a shape; numbers that cannot be read are NaN, which `filterDetections` rejects. */
function shapeBox({ name, attributes }: XmlElement, count: (reason: string) => void): Box | null {
  const numbers = (...keys: string[]) => keys.map((key) => numberOf(attributes[key]));
  if (name === 'tag') return null;
  if (Number(attributes['rotation'] ?? 0) !== 0) count('rotated-box');
  else if (name === 'box') return boxOfCorners(numbers('xtl', 'ytl', 'xbr', 'ybr') as unknown as Box);
  else if (name === 'mask') {
    count('box-from-mask');
    return numbers('left', 'top', 'width', 'height') as unknown as Box;
  } else if (name === 'polygon') {
    count('box-from-mask');
    const points = (attributes['points'] ?? '').split(';').map((point) => point.split(',').map(numberOf));
    return pointsBox(points) ?? [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
  } else count('shape-without-box');
  return null;
}

const numberOf = (text: string | undefined): number => (text?.trim() ? Number(text) : Number.NaN);
