import * as tf from '@tensorflow/tfjs-core';
import { attention } from '../ops/attention.js';
import { type Parameter, type Scope, xavier, zeros } from '../parameter-scope.js';
import { Linear, linear } from './linear.js';

/**
 * Multi-head self-attention with one packed projection of queries, keys and values, in this order.
 * Source: PyTorch, `MultiheadAttention`.
 */
export class SelfAttention {
  readonly #width: number;
  readonly #heads: number;
  readonly #weight: Parameter;
  readonly #bias: Parameter;
  readonly #output: Linear;

  constructor(scope: Scope, width: number, heads: number) {
    this.#width = width;
    this.#heads = heads;
    const shape = [3 * width, width];
    this.#weight = scope.parameter('in_proj_weight', shape, xavier(shape), 'linear');
    this.#bias = scope.parameter('in_proj_bias', [3 * width], zeros);
    this.#output = new Linear(scope.at('out_proj'), width, width);
  }

  /**
   * @param x input of queries and keys, `[batch, n, width]`
   * @param value input of values, `[batch, n, width]`
   * @param mask added to the scores, broadcasts to `[batch, heads, n, n]`; null when nothing is masked
   * @param drop dropout of the attention weights
   * @returns `[batch, n, width]`
   */
  apply(
    x: tf.Tensor3D,
    value: tf.Tensor3D,
    mask: tf.Tensor | null,
    drop: (weights: tf.Tensor) => tf.Tensor,
  ): tf.Tensor3D {
    const width = this.#width;
    const [weight, bias] = [this.#weight.variable, this.#bias.variable];
    const project = (input: tf.Tensor, start: number, parts: number) =>
      linear(
        input,
        tf.slice(weight, [0, start * width], [width, parts * width]),
        tf.slice(bias, [start * width], [parts * width]),
      );
    const queryKey = project(x, 0, 2); // [batch, n, 2 width]: queries and keys have the same input
    const [query, key] = tf.split(queryKey, 2, 2) as [tf.Tensor3D, tf.Tensor3D];
    const attended = attention(query, key, project(value, 2, 1) as tf.Tensor3D, this.#heads, mask, drop);
    return this.#output.apply(attended) as tf.Tensor3D;
  }
}
