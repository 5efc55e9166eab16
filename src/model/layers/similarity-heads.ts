import * as tf from '@tensorflow/tfjs-core';
import { type Parameter, type Scope, zeros } from '../parameter-scope.js';
import { defaultLinear, Linear } from './linear.js';

/** With this every label starts with a probability of one in a hundred. */
const PRIOR = -Math.log(99);

/** Logits as similarities of queries to label vectors. Source: RLIPv2, after GLIP's dot-product classification. */
export class SimilarityHeads {
  readonly #projection: Linear;
  readonly #objectBias: Parameter;
  readonly #relationBias: Parameter;

  constructor(scope: Scope, width: number) {
    this.#projection = new Linear(scope.at('projection_text'), width, width, defaultLinear(width));
    this.#objectBias = scope.parameter('bias_obj_a', [width], zeros);
    this.#relationBias = scope.parameter('bias_pred_a', [width], zeros);
  }

  /** @param texts label vectors `[batch, texts, width]` @returns what queries are compared with, the same shape */
  project(texts: tf.Tensor3D): tf.Tensor3D {
    const length = tf.maximum(tf.sqrt(tf.sum(tf.square(texts), 2, true)), 1e-12);
    return this.#projection.apply(tf.div(texts, tf.mul(length, 2))) as tf.Tensor3D;
  }

  /**
   * @param states of subjects or objects, `[groups, pairs, width]`
   * @param labels projected, `[batch, labels, width]`
   * @returns logits `[groups, pairs, labels]`
   */
  objects(states: tf.Tensor3D, labels: tf.Tensor3D): tf.Tensor3D {
    return similarity(states, this.#objectBias.variable, labels);
  }

  /** The same for relations. */
  relations(states: tf.Tensor3D, labels: tf.Tensor3D): tf.Tensor3D {
    return similarity(states, this.#relationBias.variable, labels);
  }
}

function similarity(states: tf.Tensor3D, bias: tf.Tensor, labels: tf.Tensor3D): tf.Tensor3D {
  const [groups, pairs, width] = states.shape;
  const [images, count] = labels.shape;
  const perImage = tf.reshape(tf.add(states, bias), [images, (groups / images) * pairs, width]);
  return tf.add(tf.reshape(tf.matMul(perImage, labels, false, true), [groups, pairs, count]), PRIOR);
}
