import { isAbsolute, join, relative, sep } from 'node:path';
import { readSmallFile } from '../files/read-small-file.js';
import type { Box } from '../records/box.js';
import type { Id, ImageRecord } from '../records/image.js';
import type { Source, SourceContext } from '../records/ports.js';
import { type DetectionSourceOptions, detectionSource } from './detection-source.js';
import { idsOfPaths, namedImages } from './named-images.js';
import { pointsBox } from './points-box.js';
import type { AnnotatedImage } from './related-record.js';
import { type YoloImage, type YoloSet, yoloSet } from './yolo-set.js';

/** Options of `yolo`. */
export interface YoloOptions extends DetectionSourceOptions {
  /**
   * `data.yaml`; or the folder of a set or of labels; or a path or glob of labels. Without `data.yaml`, classes are named by
   * `classes.txt` or `obj.names` in the folder of the labels or one of the two above.
   */
  readonly annotations: string;
}

/**
 * Reads detections in YOLO's format: a text file for each image with lines `class x y w h`, as fractions of the image and with x
 * and y of the center, and a score after them if a model wrote them. Outlines and rotated boxes (`class x1 y1 x2 y2 x3 y3 …`) get
 * the boxes around them (`box-from-mask`). The sizes come from the image files, which are looked for in the folder `images` next to
 * `labels`, in the folder of the labels, or below `images`; an image without labels has no boxes. Its id is its name without
 * extension, or its path if two of the set have the name.
 *
 * Paths in `data.yaml` are found below its folder, also if they were written on another computer.
 *
 * Rejects: `malformed-image` (no image file to read the size from), `image-missing`, `image-unreadable`, and those of
 * `filterDetections`. A line that cannot be read is counted as `malformed-annotation`, a class without a name as
 * `undefined-category`.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: https://docs.ultralytics.com/datasets/detect/
 *
 * @example
 * ```ts
 * import { caption, captionFile, Graph, yolo } from 'relflow';
 *
 * const graph = new Graph('yolo');
 * graph
 *   .from(yolo({ annotations: 'data.yaml' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })));
 * ```
 */
export function yolo(options: YoloOptions): Source<ImageRecord> {
  const { annotations, images: imageFolder } = options;
  let found: Promise<YoloSet> | undefined;
  const setOf = () => {
    found ??= yoloSet(annotations);
    return found;
  };
  return detectionSource(
    {
      name: 'yolo',
      annotations,
      dataset: 'yolo',
      paths: namedImages,
      oneImageEach: true,
      folder: async () => (await setOf()).root,
      files: async () => {
        const { namesFile, images } = await setOf();
        return [namesFile, ...images.flatMap(({ labels }) => labels ?? [])];
      },
      async *read({ signal }: SourceContext) {
        const set = await setOf();
        const ids = idsOfPaths(set.images.map(({ image }) => image));
        for (const [index, image] of set.images.entries()) {
          signal.throwIfAborted();
          // Images are looked for from the root, wherever the labels are.
          yield [set.namesFile, await yoloImage(set, image, ids[index]!, imageFolder)] as const;
        }
      },
    },
    options,
  );
}

async function yoloImage(
  { root, names, hasKeypoints }: YoloSet,
  { image, labels, split }: YoloImage,
  id: Id,
  imageFolder: string | undefined,
): Promise<AnnotatedImage> {
  const counts: Record<string, number> = {};
  const count = (reason: string) => {
    counts[reason] = (counts[reason] ?? 0) + 1;
  };
  const lines = labels === null ? [] : (await readSmallFile(labels)).split(/\r?\n/);
  const objects = lines.flatMap((line) => {
    if (line.trim() === '') return [];
    const [category, ...numbers] = line.trim().split(/\s+/).map(Number);
    const read = readBox(hasKeypoints ? numbers.slice(0, 4) : numbers, count);
    if (read && Number.isSafeInteger(category)) return [{ category: names[category!] || null, ...read }];
    count('malformed-annotation');
    return [];
  });
  const below = imageFolder === undefined ? '' : relative(imageFolder, join(root, image));
  const isBelow = below !== '' && !below.startsWith('..') && !isAbsolute(below);
  return {
    id,
    fileName: isBelow ? below.replaceAll(sep, '/') : image,
    size: null,
    split,
    objects,
    boxesAreFractions: true,
    relations: [],
    categories: names.filter((name) => name !== ''),
    counts,
  };
}

/** Returns the box of a line, as fractions of the image; null if the numbers are none. */
function readBox(
  numbers: readonly number[],
  count: (reason: string) => void,
): { readonly box: Box; readonly score?: number } | null {
  if (!numbers.every(Number.isFinite)) return null;
  const [x, y, w, h, score] = numbers;
  if (numbers.length === 4 || numbers.length === 5)
    return { box: [x! - w! / 2, y! - h! / 2, w!, h!], ...(score !== undefined && { score }) };
  if (numbers.length < 6 || numbers.length % 2 !== 0) return null;
  const points = Array.from({ length: numbers.length / 2 }, (_, k) => numbers.slice(2 * k, 2 * k + 2));
  const box = pointsBox(points);
  if (box) count('box-from-mask');
  return box && { box };
}
