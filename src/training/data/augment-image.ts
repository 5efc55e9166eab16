import type { RgbImage } from '../../model/image/resize.js';
import { resize } from '../../model/image/resize.js';
import { targetSize } from '../../model/image/target-size.js';
import { type Box, clampBox } from '../../records/box.js';
import type { Random } from '../../records/random.js';
import { colorJitter } from './color-jitter.js';
import { randomInteger } from './random-stream.js';
import type { TrainingSample } from './training-sample.js';

/** Random changes of training images. Sizes are in pixels. */
export interface AugmentationOptions {
  /**
   * The shorter side to which an image is resized once after decoding; the image keeps its size if omitted. Small
   * decoded images take little memory in a cache, see `AugmentedImageReaderOptions.cacheBytes`.
   */
  readonly decodedShorterSide?: number;
  /** True to ignore the EXIF orientation and not to compare sizes, as the official loader does. Default false. */
  readonly compat?: boolean;
  /** Probability of a mirrored image. */
  readonly flip: number;
  /** Largest relative change of brightness, contrast and saturation, in [0, 1]. */
  readonly colorJitter: number;
  /** Sizes of the shorter side, of which one is drawn. */
  readonly shorterSides: readonly number[];
  /** Upper bound of the longer side, which may exceed it by one pixel. */
  readonly maxSize: number;
  /** Random crops; none if omitted. */
  readonly crop?: {
    readonly probability: number;
    /** Sizes of the shorter side before the crop, of which one is drawn. */
    readonly shorterSides: readonly number[];
    /** Range of the crop's width and of its height. */
    readonly size: readonly [least: number, most: number];
  };
}

/** The official augmentation. Source: RLIPv2, datasets/vg.py, `make_vg_transforms`. */
export const officialAugmentation: AugmentationOptions = {
  flip: 0.5,
  colorJitter: 0.4,
  shorterSides: [480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800],
  maxSize: 1333,
  crop: { probability: 0.5, shorterSides: [400, 500, 600], size: [384, 600] },
};

/** An augmentation for small images and the tiny models. */
export const tinyAugmentation: AugmentationOptions = {
  flip: 0.5,
  colorJitter: 0.2,
  shorterSides: [160, 176, 192],
  maxSize: 288,
  crop: { probability: 0.3, shorterSides: [192, 224], size: [144, 224] },
};

/** The augmentation of the embedded sprite tagger. */
export const spriteAugmentation: AugmentationOptions = {
  decodedShorterSide: 128,
  flip: 0.5,
  colorJitter: 0.2,
  shorterSides: [128],
  maxSize: 160,
};

/** An augmented image, and its sample without the boxes that were cropped off. */
export interface AugmentedImage {
  readonly image: RgbImage;
  /** Boxes in pixels of this image. */
  readonly sample: TrainingSample;
}

/** Resizes an image to the largest of the `shorterSides`, without augmentation: for evaluation. */
export function resizedImage(
  image: RgbImage,
  sample: TrainingSample,
  { shorterSides, maxSize }: AugmentationOptions,
): AugmentedImage {
  return resized({ image, sample: inImagePixels(sample, image) }, Math.max(...shorterSides), maxSize);
}

/**
 * Mirrors, color-jitters, crops and resizes an image at random, and its boxes with it. Boxes outside of the crop are
 * removed together with their relations. In a mirrored image, `left` and `right` are swapped in predicates.
 *
 * Source: DETR, datasets/transforms.py, in the order of RLIPv2's.
 */
export function augmentImage(
  random: Random,
  image: RgbImage,
  sample: TrainingSample,
  { flip, colorJitter: jitter, shorterSides, maxSize, crop }: AugmentationOptions,
): AugmentedImage {
  // Whether an image is too thin must not depend on the crop that is drawn.
  targetSize(image, Math.max(...shorterSides), maxSize, sample.image.file);
  let augmented: AugmentedImage = { image, sample: inImagePixels(sample, image) };
  if (random.next() < flip) augmented = mirrored(augmented);
  augmented = { ...augmented, image: colorJitter(random, augmented.image, jitter) };
  const drawn = (sides: readonly number[]) => sides[randomInteger(random, sides.length)]!;
  if (crop && random.next() < crop.probability) {
    augmented = resized(augmented, drawn(crop.shorterSides), Number.POSITIVE_INFINITY);
    const side = (length: number) => {
      const least = Math.min(crop.size[0], length);
      return least + randomInteger(random, Math.min(crop.size[1], length) - least + 1);
    };
    const [width, height] = [side(augmented.image.width), side(augmented.image.height)];
    const x = randomInteger(random, augmented.image.width - width + 1);
    const y = randomInteger(random, augmented.image.height - height + 1);
    augmented = cropped(augmented, [x, y, width, height]);
  }
  return resized(augmented, drawn(shorterSides), maxSize);
}

/** Converts boxes from pixels of the annotated size, which may differ from the file's, to pixels of the image. */
function inImagePixels(sample: TrainingSample, { width, height }: RgbImage): TrainingSample {
  return scaled(sample, width / sample.image.width, height / sample.image.height);
}

function scaled(sample: TrainingSample, scaleX: number, scaleY: number): TrainingSample {
  if (scaleX === 1 && scaleY === 1) return sample;
  const boxes = sample.boxes.map(([x, y, w, h]): Box => [x * scaleX, y * scaleY, w * scaleX, h * scaleY]);
  return { ...sample, boxes };
}

function resized({ image, sample }: AugmentedImage, shorterSide: number, maxSize: number): AugmentedImage {
  const size = targetSize(image, shorterSide, maxSize, sample.image.file);
  return { image: resize(image, size), sample: scaled(sample, size.width / image.width, size.height / image.height) };
}

function mirrored({ image: { data, width, height }, sample }: AugmentedImage): AugmentedImage {
  const result = new Uint8Array(data.length);
  let from = 0;
  for (let row = 1; row <= height; row++)
    for (let to = 3 * (row * width - 1); to >= 3 * (row - 1) * width; to -= 3) {
      result[to] = data[from]!;
      result[to + 1] = data[from + 1]!;
      result[to + 2] = data[from + 2]!;
      from += 3;
    }
  const boxes = sample.boxes.map(([x, y, w, h]): Box => [width - x - w, y, w, h]);
  const pairs = sample.pairs.map((pair) => ({ ...pair, predicates: pair.predicates.map(swapLeftRight) }));
  return { image: { data: result, width, height }, sample: { ...sample, boxes, pairs } };
}

/** Swaps the words `left` and `right`: `to the left of` becomes `to the right of`. */
export const swapLeftRight = (predicate: string): string =>
  predicate.replace(/\b(?:left|right)\b/g, (side) => (side === 'left' ? 'right' : 'left'));

function cropped({ image, sample }: AugmentedImage, [x, y, width, height]: Box): AugmentedImage {
  const data = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const from = 3 * ((y + row) * image.width + x);
    data.set(image.data.subarray(from, from + 3 * width), 3 * row * width);
  }
  return { image: { data, width, height }, sample: croppedSample(sample, [x, y, width, height]) };
}

/** Clips boxes to the crop, and removes those outside of it together with their pairs. */
function croppedSample(sample: TrainingSample, [x, y, width, height]: Box): TrainingSample {
  const newIndices = new Map<number, number>();
  const boxes: Box[] = [];
  for (const [index, [left, top, w, h]] of sample.boxes.entries()) {
    const box = clampBox([left - x, top - y, w, h], width, height);
    if (box[2] <= 0 || box[3] <= 0) continue;
    newIndices.set(index, boxes.length);
    boxes.push(box);
  }
  return {
    image: sample.image,
    boxes,
    categories: sample.categories.filter((_, index) => newIndices.has(index)),
    pairs: sample.pairs.flatMap((pair) => {
      const subject = newIndices.get(pair.subject);
      const object = pair.object === null ? null : newIndices.get(pair.object);
      return subject === undefined || object === undefined ? [] : [{ ...pair, subject, object }];
    }),
  };
}
