import * as tf from '@tensorflow/tfjs-core';
import { type ImageSource, imageName } from '../files/image-stores/find-image-file.js';
import { type ReadImageOptions, readImage } from './image/read-image.js';
import { normalize, resize } from './image/resize.js';
import { targetSize } from './image/target-size.js';
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
  const original = await readImage(file, reading);
  const target = targetSize(original, size.shorter, size.longest, imageName(file));
  const pixels = normalize(resize(original, target));
  return tf.tidy(
    () =>
      model.encode(
        { pixels: tf.tensor4d(pixels, [1, target.height, target.width, 3]), sizes: [target] },
        {
          vectors: tf.tensor2d(values, [texts.length, values.length / texts.length]),
          objectCount: labels.objects.length,
        },
      ) as unknown as tf.TensorContainer,
  ) as unknown as Encoded;
}
