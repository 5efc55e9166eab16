import { type ImageSource, imageName } from '../../files/image-stores/find-image-file.js';
import type { LevelSize } from '../ops/deformable-attention.js';
import { type ReadImageOptions, readImage } from './read-image.js';
import { normalize, resize } from './resize.js';
import { targetSize } from './target-size.js';

/** An image file and the size that a model takes. */
export interface ImageRequest {
  readonly file: ImageSource;
  /** Lengths in pixels of the shorter side, and the limit of the longest side, after resizing; default 800 and 1333. */
  readonly size: { readonly shorter?: number; readonly longest?: number };
  /** How the pixels of the file are ordered. */
  readonly reading: ReadImageOptions;
}

/** An image as the backbones expect it. */
export interface PreparedImage extends LevelSize {
  /** Normalized pixels, `[height, width, 3]` in row-major order. */
  readonly pixels: Float32Array;
}

/**
 * Reads, resizes and normalizes an image.
 * @throws RecordError if the image cannot be read, or is too thin (`image-too-thin`)
 */
export async function prepareImage({ file, size, reading }: ImageRequest): Promise<PreparedImage> {
  const original = await readImage(file, reading);
  const { height, width } = targetSize(original, size.shorter, size.longest, imageName(file));
  return { height, width, pixels: normalize(resize(original, { height, width })) };
}
