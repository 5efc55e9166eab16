import type { RgbImage } from '../../model/image/resize.js';
import { resize, targetSize } from '../../model/image/resize.js';
import { type Box, clampBox } from '../../records/box.js';
import type { Random } from '../../records/random.js';
import { colorJitter } from './color-jitter.js';
import { randomInteger } from './random-stream.js';
import type { TrainingSample } from './training-sample.js';

/** How an image is varied before it is learnt from. */
export interface AugmentationOptions {
  /**
   * The shorter side that an image is brought to once it is decoded, before it is varied: what small views are made of
   * takes little memory then, see `keepImages`. Absent for the image as it is.
   */
  readonly decodedShorterSide?: number;
  /** Probability of a mirrored image. */
  readonly flip: number;
  /** Brightness, contrast and saturation change by up to this share. */
  readonly colorJitter: number;
  /** Lengths of the shorter side, one of which is picked. */
  readonly shorterSides: readonly number[];
  /** The longer side is at most this long, or one pixel longer. */
  readonly maxSize: number;
  /** A part of the image instead of all of it; absent for never. */
  readonly crop?: {
    readonly probability: number;
    /** Lengths of the shorter side before a part is cut out. */
    readonly shorterSides: readonly number[];
    /** Width and height of the part, each in this range. */
    readonly size: readonly [least: number, most: number];
  };
}

/** Source: RLIPv2, datasets/vg.py, `make_vg_transforms`. */
export const officialAugmentation: AugmentationOptions = {
  flip: 0.5,
  colorJitter: 0.4,
  shorterSides: [480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800],
  maxSize: 1333,
  crop: { probability: 0.5, shorterSides: [400, 500, 600], size: [384, 600] },
};

/** For small images and the tiny models. */
export const tinyAugmentation: AugmentationOptions = {
  flip: 0.5,
  colorJitter: 0.2,
  shorterSides: [160, 176, 192],
  maxSize: 288,
  crop: { probability: 0.3, shorterSides: [192, 224], size: [144, 224] },
};

/** For the tagger that comes with relflow: small, and brought to their size once. */
export const spriteAugmentation: AugmentationOptions = {
  decodedShorterSide: 128,
  flip: 0.5,
  colorJitter: 0.2,
  shorterSides: [128],
  maxSize: 160,
};

/** An image as it goes into a batch, with what of its sample is still to be seen. */
export interface AugmentedImage {
  readonly image: RgbImage;
  /** Boxes in pixels of this image. */
  readonly sample: TrainingSample;
}

/** No augmentation: for evaluation. The shorter side is the longest of the `shorter` ones. */
export function resizedImage(image: RgbImage, sample: TrainingSample, views: AugmentationOptions): AugmentedImage {
  return resized({ image, sample: onPixels(sample, image) }, Math.max(...views.shorterSides), views.maxSize);
}

/**
 * Mirrors, recolours, cuts and resizes at random. Boxes follow; one that is cut off whole goes, with its relations. In a
 * mirrored image `left` and `right` change places in predicates too.
 *
 * Source: DETR, datasets/transforms.py, in the order of RLIPv2's.
 */
export function augmentImage(
  random: Random,
  image: RgbImage,
  sample: TrainingSample,
  views: AugmentationOptions,
): AugmentedImage {
  let view: AugmentedImage = { image, sample: onPixels(sample, image) };
  if (random.next() < views.flip) view = mirrored(view);
  view = { ...view, image: colorJitter(random, view.image, views.colorJitter) };
  if (views.crop && random.next() < views.crop.probability) {
    const { shorterSides: shorter, size: sides } = views.crop;
    view = resized(view, shorter[randomInteger(random, shorter.length)]!, Number.POSITIVE_INFINITY);
    const side = (length: number) => {
      const least = Math.min(sides[0], length);
      return least + randomInteger(random, Math.min(sides[1], length) - least + 1);
    };
    const [width, height] = [side(view.image.width), side(view.image.height)];
    const x = randomInteger(random, view.image.width - width + 1);
    const y = randomInteger(random, view.image.height - height + 1);
    view = cut(view, x, y, width, height);
  }
  return resized(view, views.shorterSides[randomInteger(random, views.shorterSides.length)]!, views.maxSize);
}

/** Boxes are in pixels of the annotated size, which the file need not have. */
function onPixels(sample: TrainingSample, { width, height }: RgbImage): TrainingSample {
  return scaled(sample, width / sample.image.width, height / sample.image.height);
}

function scaled(sample: TrainingSample, across: number, down: number): TrainingSample {
  if (across === 1 && down === 1) return sample;
  const boxes = sample.boxes.map(([x, y, w, h]): Box => [x * across, y * down, w * across, h * down]);
  return { ...sample, boxes };
}

function resized({ image, sample }: AugmentedImage, shorter: number, longest: number): AugmentedImage {
  const size = targetSize(image, shorter, longest);
  return { image: resize(image, size), sample: scaled(sample, size.width / image.width, size.height / image.height) };
}

function mirrored({ image: { data, width, height }, sample }: AugmentedImage): AugmentedImage {
  const turned = new Uint8Array(data.length);
  let from = 0;
  for (let row = 1; row <= height; row++)
    for (let to = 3 * (row * width - 1); to >= 3 * (row - 1) * width; to -= 3) {
      turned[to] = data[from]!;
      turned[to + 1] = data[from + 1]!;
      turned[to + 2] = data[from + 2]!;
      from += 3;
    }
  const boxes = sample.boxes.map(([x, y, w, h]): Box => [width - x - w, y, w, h]);
  const pairs = sample.pairs.map((pair) => ({ ...pair, predicates: pair.predicates.map(swapLeftRight) }));
  return { image: { data: turned, width, height }, sample: { ...sample, boxes, pairs } };
}

/** `to the left of` → `to the right of`. */
export const swapLeftRight = (predicate: string): string =>
  predicate.replace(/\b(?:left|right)\b/g, (side) => (side === 'left' ? 'right' : 'left'));

function cut({ image, sample }: AugmentedImage, x: number, y: number, width: number, height: number): AugmentedImage {
  const data = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const from = 3 * ((y + row) * image.width + x);
    data.set(image.data.subarray(from, from + 3 * width), 3 * row * width);
  }
  return { image: { data, width, height }, sample: visible(sample, [x, y, width, height]) };
}

/** What of a sample is in a part of the image. */
function visible(sample: TrainingSample, [x, y, width, height]: Box): TrainingSample {
  const places = new Map<number, number>();
  const boxes: Box[] = [];
  for (const [index, [left, top, w, h]] of sample.boxes.entries()) {
    const box = clampBox([left - x, top - y, w, h], width, height);
    if (box[2] <= 0 || box[3] <= 0) continue;
    places.set(index, boxes.length);
    boxes.push(box);
  }
  return {
    image: sample.image,
    boxes,
    categories: sample.categories.filter((_, index) => places.has(index)),
    pairs: sample.pairs.flatMap((pair) => {
      const [subject, object] = [places.get(pair.subject), places.get(pair.object)];
      return subject === undefined || object === undefined ? [] : [{ ...pair, subject, object }];
    }),
  };
}
