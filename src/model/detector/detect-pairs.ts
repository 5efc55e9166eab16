import * as tf from '@tensorflow/tfjs-core';
import { RecordError } from '../../errors.js';
import { findImageFile, imageName } from '../../files/image-stores/find-image-file.js';
import type { Image } from '../../records/image.js';
import { encodeImage } from '../encode-image.js';
import { rejectingFailedKernels } from '../kernel-failures.js';
import type { RlipV2 } from '../rlip-v2.js';
import type { LabelVectors } from '../text/label-vectors.js';
import type { OutputLabels, PairOutputs } from './post-process.js';

/** Options of `detectPairs`. */
export interface DetectPairsOptions {
  /** Folder that the image paths are relative to. */
  readonly images: string;
  readonly labels: OutputLabels;
  /** Size in pixels to which images are resized: length of the shorter side and limit of the longest. */
  readonly size: { readonly shorter: number; readonly longest: number };
}

/** The outputs in messages. */
const DESCRIPTIONS: Readonly<Record<keyof PairOutputs, string>> = {
  subjectLogits: 'logits of subjects',
  objectLogits: 'logits of objects',
  relationLogits: 'logits of predicates',
  subjectBoxes: 'boxes of subjects',
  objectBoxes: 'boxes of objects',
};

/**
 * Runs RLIPv2 on an image, and returns the outputs of its last decoder layer.
 *
 * @throws RecordError if the image cannot be read or is too thin (`image-too-thin`), a kernel fails (`kernel-failed`), or an output
 * is not finite (`bad-score`)
 */
export async function detectPairs(
  loaded: { readonly model: RlipV2; readonly vectors: LabelVectors },
  image: Image,
  { images, labels, size }: DetectPairsOptions,
): Promise<PairOutputs> {
  const source = await findImageFile(images, image.file);
  const file = imageName(source);
  const outputs = await rejectingFailedKernels(file, async () => {
    const encoded = await encodeImage(loaded, source, size, labels, { annotated: image });
    let last: Record<keyof PairOutputs, tf.Tensor>;
    try {
      last = tf.tidy(() => {
        const { subjectLogits, objectLogits, relationLogits, subjectBoxes, objectBoxes } = loaded.model
          .decode(encoded)
          .at(-1)!;
        return { subjectLogits, objectLogits, relationLogits, subjectBoxes, objectBoxes };
      });
    } finally {
      tf.dispose(encoded as unknown as tf.TensorContainer);
    }
    const names = Object.keys(last) as (keyof PairOutputs)[];
    const read = names.map(async (name) => [name, (await last[name].data()) as Float32Array]);
    const values = Object.fromEntries(await Promise.all(read)) as PairOutputs;
    tf.dispose(last);
    return values;
  });
  for (const [name, values] of Object.entries(outputs) as [keyof PairOutputs, Float32Array][]) {
    const bad = values.find((value) => !Number.isFinite(value));
    if (bad !== undefined)
      throw new RecordError(
        'bad-score',
        `${file}: the model returned ${bad} among its ${DESCRIPTIONS[name]}, expected finite numbers`,
      );
  }
  return outputs;
}
