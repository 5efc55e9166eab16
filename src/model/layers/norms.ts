import * as tf from '@tensorflow/tfjs-core';
import { layerNorm } from '../ops/layer-norm.js';
import { ones, type Parameter, type Scope, zeros } from '../parameter-scope.js';

/** Layer normalisation over the last axis. */
export class LayerNorm {
  readonly #weight: Parameter;
  readonly #bias: Parameter;
  readonly #epsilon: number;

  constructor(scope: Scope, width: number, epsilon = 1e-5) {
    this.#weight = scope.parameter('weight', [width], ones);
    this.#bias = scope.parameter('bias', [width], zeros);
    this.#epsilon = epsilon;
  }

  /** @param x `[…, width]` @returns the same shape */
  apply(x: tf.Tensor): tf.Tensor {
    return layerNorm(x, this.#weight.variable, this.#bias.variable, this.#epsilon);
  }
}

/** Normalisation of each image over groups of channels. */
export class GroupNorm {
  readonly #groups: number;
  readonly #weight: Parameter;
  readonly #bias: Parameter;
  readonly #epsilon: number;

  constructor(scope: Scope, groups: number, channels: number, epsilon = 1e-5) {
    this.#groups = groups;
    this.#weight = scope.parameter('weight', [channels], ones);
    this.#bias = scope.parameter('bias', [channels], zeros);
    this.#epsilon = epsilon;
  }

  /** @param x `[batch, height, width, channels]` @returns the same shape */
  apply(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => {
      const [batch, height, width, channels] = x.shape;
      const grouped = tf.reshape(x, [batch, height * width, this.#groups, channels / this.#groups]);
      const mean = tf.mean(grouped, [1, 3], true);
      const centred = tf.sub(grouped, mean);
      const variance = tf.mean(tf.square(centred), [1, 3], true);
      const normal = tf.reshape(tf.mul(centred, tf.rsqrt(tf.add(variance, this.#epsilon))), x.shape);
      return tf.add(tf.mul(normal, this.#weight.variable), this.#bias.variable);
    });
  }
}
