import type * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../model-config.js';
import { refineBoxes } from '../ops/boxes.js';
import { type Scope, zeros } from '../parameter-scope.js';
import { Mlp } from './linear.js';

/** Where a subject and its object are thought to be, `[batch, pairs, 2 or 4]` each, in [0, 1]. */
export interface PairReferences {
  readonly subject: tf.Tensor3D;
  readonly object: tf.Tensor3D;
}

/**
 * Box heads of subjects and objects, one a decoder layer: those of the first decoder, then those of the relation decoder,
 * which models with `boxContent` have not.
 */
export class BoxHeads {
  readonly #subject: readonly Mlp[];
  readonly #object: readonly Mlp[];

  constructor(scope: Scope, { width, decoderLayers, boxContent }: ModelConfig) {
    const count = boxContent ? decoderLayers : 2 * decoderLayers;
    const heads = (name: string) =>
      Array.from({ length: count }, (_, k) => {
        // Where a box is given it is right, or nearly so, to begin with.
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
   * @param at which head
   * @param subject what the subject's query knows, `[batch, pairs, width]`
   * @param object the same of the object
   * @returns boxes, cx, cy, w and h
   */
  refine(layer: number, subject: tf.Tensor, object: tf.Tensor, references: PairReferences): PairReferences {
    return {
      subject: refineBoxes(this.#subject[layer]!.apply(subject) as tf.Tensor3D, references.subject),
      object: refineBoxes(this.#object[layer]!.apply(object) as tf.Tensor3D, references.object),
    };
  }
}
