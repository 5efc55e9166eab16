import * as tf from '@tensorflow/tfjs-core';
import { type Parameter, type Scope, zeros } from '../parameter-scope.js';
import { defaultLinear, Linear } from './linear.js';

/** Logit of a probability of 0.01, which every label has before training. Source: Lin et al., focal loss, 2017. */
const PRIOR = -Math.log(99);

/** Classification heads: a logit is the dot product of a query and a label vector. Source: RLIPv2, after GLIP. */
export class SimilarityHeads {
  readonly #projection: Linear;
  readonly #objectBias: Parameter;
  readonly #relationBias: Parameter;

  constructor(scope: Scope, width: number) {
    this.#projection = new Linear(scope.at('projection_text'), width, width, defaultLinear(width));
    this.#objectBias = scope.parameter('bias_obj_a', [width], zeros);
    this.#relationBias = scope.parameter('bias_pred_a', [width], zeros);
  }

  /**
   * Normalizes label vectors and projects them.
   * @param labels label vectors, `[batch, labels, width]`
   * @returns the vectors that queries are compared with, the same shape
   */
  project(labels: tf.Tensor3D): tf.Tensor3D {
    const norm = tf.maximum(tf.sqrt(tf.sum(tf.square(labels), 2, true)), 1e-12); // [batch, labels, 1]
    return this.#projection.apply(tf.div(labels, tf.mul(norm, 2))) as tf.Tensor3D;
  }

  /**
   * Logits of object labels.
   * @param states of subjects or objects, `[groups, pairs, width]`
   * @param labels projected label vectors, `[batch, labels, width]`
   * @returns `[groups, pairs, labels]`
   */
  objects(states: tf.Tensor3D, labels: tf.Tensor3D): tf.Tensor3D {
    return similarity(states, this.#objectBias.variable, labels);
  }

  /** Logits of relation labels, with the shapes of `objects`. */
  relations(states: tf.Tensor3D, labels: tf.Tensor3D): tf.Tensor3D {
    return similarity(states, this.#relationBias.variable, labels);
  }
}

function similarity(states: tf.Tensor3D, bias: tf.Tensor, labels: tf.Tensor3D): tf.Tensor3D {
  const [groups, pairs, width] = states.shape;
  const [images, count] = labels.shape;
  const perImage = tf.reshape(tf.add(states, bias), [images, (groups / images) * pairs, width]); // [batch, groups per image · pairs, width]
  return tf.add(tf.reshape(tf.matMul(perImage, labels, false, true), [groups, pairs, count]), PRIOR);
}
