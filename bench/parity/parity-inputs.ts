import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openSafetensors } from '../../src/files/open-safetensors.js';
import type { ImageBatch } from '../../src/model/geometry.js';
import type { PairGroup } from '../../src/model/query-source.js';
import type { TokenizedTexts } from '../../src/model/text/roberta.js';

/** Candidate pairs of one image with their relations. */
export interface LabeledPairs extends PairGroup {
  /** 1 for each relation that holds, `[pairs, relations]`. */
  readonly relations: Float32Array;
}

/** Inputs of the models in a folder of parity vectors. */
export interface ParityInputs {
  /** Salt of the weights, see `FormulaWeights`. */
  readonly salt: string;
  /** Number of object labels. */
  readonly objects: number;
  /** Number of relation labels. */
  readonly relations: number;
  /** Normalized images, `[3, height, width]` each. */
  readonly images: readonly { readonly shape: readonly number[]; readonly pixels: Float32Array }[];
  readonly texts: TokenizedTexts;
  readonly pairs: readonly LabeledPairs[];
}

/** Reads the inputs of a folder of parity vectors. */
export async function readInputs(folder: string): Promise<ParityInputs> {
  const about = JSON.parse(await readFile(join(folder, 'inputs.json'), 'utf8')) as {
    salt: string;
    objects: string[];
    relations: string[];
  };
  const file = await openSafetensors(join(folder, 'inputs.safetensors'));
  try {
    const images = [];
    const pairs: LabeledPairs[] = [];
    for (const k of [1, 2]) {
      const image = `image${k}`;
      images.push({ shape: file.entries.get(image)!.shape, pixels: await file.read(image) });
      pairs.push({
        subjectBoxes: await file.read(`pairs${k}.sub_boxes`),
        objectBoxes: await file.read(`pairs${k}.obj_boxes`),
        subjectLabels: Int32Array.from(await file.read(`pairs${k}.sub_labels`)),
        objectLabels: Int32Array.from(await file.read(`pairs${k}.obj_labels`)),
        relations: await file.read(`pairs${k}.verb_labels`),
      });
    }
    const [texts, tokens] = file.entries.get('token_ids')!.shape as [number, number];
    const ids = Int32Array.from(await file.read('token_ids'));
    return {
      salt: about.salt,
      objects: about.objects.length,
      relations: about.relations.length,
      images,
      texts: { ids, texts, tokens },
      pairs,
    };
  } finally {
    await file.close();
  }
}

/** Pads images with zeros to the right and below to a batch. */
export function batchOf(images: ParityInputs['images']): ImageBatch {
  const sizes = images.map(({ shape }) => ({ height: shape[1]!, width: shape[2]! }));
  const height = Math.max(...sizes.map((size) => size.height));
  const width = Math.max(...sizes.map((size) => size.width));
  const pixels = tf.tidy(() =>
    tf.stack(
      images.map(({ shape, pixels: values }, k) => {
        const image = tf.transpose(tf.tensor3d(values, shape as [number, number, number]), [1, 2, 0]);
        return tf.pad(image, [
          [0, height - sizes[k]!.height],
          [0, width - sizes[k]!.width],
          [0, 0],
        ]);
      }),
    ),
  ) as tf.Tensor4D;
  return { pixels, sizes };
}
