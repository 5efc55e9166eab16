import type * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../model-config.js';
import { refineBoxes } from '../ops/boxes.js';
import { type Scope, zeros } from '../parameter-scope.js';
import { Mlp } from './linear.js';

/**
 * Reference points (x, y) or boxes (cx, cy, w, h) of subjects and objects, `[groups, pairs, 2 or 4]` each, in [0, 1] of
 * the image.
 */
export interface PairReferences {
  readonly subject: tf.Tensor3D;
  readonly object: tf.Tensor3D;
}

/**
 * Box heads of subjects and objects, one per decoder layer: first those of the subject-object decoder, then those of the
 * relation decoder. Models with `boxContent` have no heads for the relation decoder.
 * Source: Deformable DETR, `bbox_embed` with iterative box refinement.
 */
export class BoxHeads {
  readonly #subject: readonly Mlp[];
  readonly #object: readonly Mlp[];

  constructor(scope: Scope, { width, decoderLayers, boxContent }: ModelConfig) {
    const count = boxContent ? decoderLayers : 2 * decoderLayers;
    const heads = (name: string) =>
      Array.from({ length: count }, (_, k) => {
        // A given box is right or nearly right, so that models with boxContent start without a change of size.
        const size = k === 0 && !boxContent ? -2 : 0;
        const bias = new Float32Array([0, 0, size, size]);
        return new Mlp(scope.at(name, k), [width, width, width, 4], {
          weight: zeros,
          bias: { kind: 'values', values: bias },
        });
      });
    this.#subject = heads('sub_bbox_embed');
    this.#object = heads('obj_bbox_embed');
  }

  /**
   * Moves boxes from their references by what the heads of one layer predict.
   * @param layer index of the heads
   * @param subject states of subject queries, `[groups, pairs, width]`
   * @param object states of object queries, the same shape
   * @param references `[groups, pairs, 2 or 4]` each
   * @returns boxes cx, cy, w and h in [0, 1], `[groups, pairs, 4]` each
   */
  refine(layer: number, subject: tf.Tensor, object: tf.Tensor, references: PairReferences): PairReferences {
    return {
      subject: refineBoxes(this.#subject[layer]!.apply(subject) as tf.Tensor3D, references.subject),
      object: refineBoxes(this.#object[layer]!.apply(object) as tf.Tensor3D, references.object),
    };
  }
}
