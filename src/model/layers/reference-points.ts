import * as tf from '@tensorflow/tfjs-core';
import type { Scope } from '../parameter-scope.js';
import type { PairReferences } from './box-heads.js';
import { Linear } from './linear.js';

/**
 * Maps the positional queries of subjects and objects to 2-D reference points, each with its own linear layer.
 * Source: Deformable DETR, `reference_points`; RLIPv2 has one layer each for subjects and objects.
 */
export class ReferencePoints {
  readonly #subject: Linear;
  readonly #object: Linear;

  constructor(transformer: Scope, width: number) {
    this.#subject = new Linear(transformer.at('reference_points_sub'), width, 2);
    this.#object = new Linear(transformer.at('reference_points_obj'), width, 2);
  }

  /**
   * @param position `[groups, 2 pairs, width]`, the subjects first, then the objects
   * @returns points x and y in [0, 1], `[groups, pairs, 2]` each for subjects and objects
   */
  apply(position: tf.Tensor): PairReferences {
    const [subject, object] = tf.split(position, 2, 1) as [tf.Tensor, tf.Tensor]; // [groups, pairs, width] each
    return {
      subject: tf.sigmoid(this.#subject.apply(subject)) as tf.Tensor3D,
      object: tf.sigmoid(this.#object.apply(object)) as tf.Tensor3D,
    };
  }
}
