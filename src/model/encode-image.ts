import * as tf from '@tensorflow/tfjs-core';
import { readImage } from './image/read-image.js';
import { normalize, resize, targetSize } from './image/resize.js';
import type { Encoded, RlipV2 } from './rlip-v2.js';
import type { LabelVectors } from './text/label-vectors.js';

/** The official label of what is no object; it must be the last of the objects. */
export const NO_OBJECTS = 'no objects';

/**
 * An image file as the model sees it, with labels.
 *
 * @param size the shorter and the longest side that the image is resized to; default 800 and 1333
 * @param labels objects, the last of which is `no objects`, and relations
 * @returns the caller's to dispose
 * @throws RecordError where the image can't be read
 */
export async function encodeImage(
  { model, vectors }: { readonly model: RlipV2; readonly vectors: LabelVectors },
  file: string,
  size: { readonly shorter?: number; readonly longest?: number },
  labels: { readonly objects: readonly string[]; readonly relations: readonly string[] },
): Promise<Encoded> {
  const texts = [...labels.objects, ...labels.relations];
  const values = await vectors.of(texts);
  const original = await readImage(file);
  const target = targetSize(original, size.shorter, size.longest);
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
