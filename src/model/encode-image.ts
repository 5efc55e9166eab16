import * as tf from '@tensorflow/tfjs-core';
import type { ImageSource } from '../files/image-stores/find-image-file.js';
import { type PreparedImage, prepareImage } from './image/prepare-image.js';
import type { ReadImageOptions } from './image/read-image.js';
import type { Encoded, RlipV2 } from './rlip-v2.js';
import type { LabelVectors } from './text/label-vectors.js';

/** Official label of the background class; it must be the last object label. */
export const NO_OBJECTS = 'no objects';

/**
 * Reads and resizes an image file, and encodes it with a set of labels.
 *
 * @param size lengths in pixels of the shorter side, and the limit of the longest side, after resizing; default 800 and 1333
 * @param labels object labels, the last of which is `no objects`, and relation labels
 * @param reading how the pixels of the file are ordered
 * @returns tensors that the caller must dispose
 * @throws RecordError if the image cannot be read or is too thin (`image-too-thin`), or a kernel fails (`kernel-failed`)
 */
export async function encodeImage(
  { model, vectors }: { readonly model: RlipV2; readonly vectors: LabelVectors },
  file: ImageSource,
  size: { readonly shorter?: number; readonly longest?: number },
  labels: { readonly objects: readonly string[]; readonly relations: readonly string[] },
  reading: ReadImageOptions = {},
): Promise<Encoded> {
  const texts = [...labels.objects, ...labels.relations];
  const values = await vectors.of(texts);
  const image = await prepareImage({ file, size, reading });
  return tf.tidy(() => {
    const tensor = tf.tensor2d(values, [texts.length, values.length / texts.length]);
    return encodePrepared(model, [image], tensor, labels.objects.length) as unknown as tf.TensorContainer;
  }) as unknown as Encoded;
}

/**
 * Encodes images of one size.
 * @param vectors label vectors: `[labels, text width]` shared by all images, or `[images, labels, text width]`
 * @param objectCount number of object labels, which come first
 */
export function encodePrepared(
  model: RlipV2,
  images: readonly PreparedImage[],
  vectors: tf.Tensor2D | tf.Tensor3D,
  objectCount: number,
): Encoded {
  const [{ height, width, pixels: first }] = images as readonly [PreparedImage];
  const pixels = images.length === 1 ? first : new Float32Array(images.length * first.length);
  if (images.length > 1) for (const [k, image] of images.entries()) pixels.set(image.pixels, k * first.length);
  return model.encode(
    { pixels: tf.tensor4d(pixels, [images.length, height, width, 3]), sizes: images.map(() => ({ height, width })) },
    { vectors, objectCount },
  );
}
