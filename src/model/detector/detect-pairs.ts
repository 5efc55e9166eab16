import * as tf from '@tensorflow/tfjs-core';
import { RecordError } from '../../errors.js';
import { findImageFile, imageName } from '../../files/image-stores/find-image-file.js';
import type { Image } from '../../records/image.js';
import { prepareImage } from '../image/prepare-image.js';
import { rejectingFailedKernels } from '../kernel-failures.js';
import type { ModelRunner } from '../model-runner.js';
import type { LayerOutput } from '../rlip-v2.js';
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

/** What is read of the decoders; labels that are padding come last. */
const outputsOf = ({ relations }: OutputLabels) => ({
  name: `outputs of ${relations.length} relations`,
  read: ({ subjectLogits, objectLogits, relationLogits, subjectBoxes, objectBoxes }: LayerOutput) => ({
    ...{ subjectLogits, objectLogits, subjectBoxes, objectBoxes },
    relationLogits: tf.slice(relationLogits, [0, 0, 0], [-1, -1, relations.length]),
  }),
});

/**
 * Runs RLIPv2 on an image, and returns the outputs of its last decoder layer.
 *
 * @throws RecordError if the image cannot be read or is too thin (`image-too-thin`), a kernel fails (`kernel-failed`), or an output
 * is not finite (`bad-score`)
 */
export async function detectPairs(
  runner: ModelRunner,
  image: Image,
  { images, labels, size }: DetectPairsOptions,
): Promise<PairOutputs> {
  const source = await findImageFile(images, image.file);
  const file = imageName(source);
  const outputs = await rejectingFailedKernels(file, async () => {
    const prepared = await prepareImage({ file: source, size, reading: { annotated: image } });
    const encoded = await runner.encode([prepared], [labels]);
    try {
      const { outputs } = await runner.decode(encoded, undefined, outputsOf(labels));
      const read = Object.entries(outputs).map(async ([name, tensor]) => [name, await tensor.data()]);
      const values = Object.fromEntries(await Promise.all(read)) as PairOutputs;
      tf.dispose(outputs as tf.NamedTensorMap);
      return values;
    } finally {
      tf.dispose(encoded as unknown as tf.TensorContainer);
    }
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
