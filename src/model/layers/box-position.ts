import * as tf from '@tensorflow/tfjs-core';
import { sineOfBoxes } from '../ops/sine-positions.js';
import type { Scope } from '../parameter-scope.js';
import { Mlp } from './linear.js';

/**
 * Positional query made from a box by sine encoding and an MLP; from the second layer on it is scaled by the query's
 * content.
 * Source: DAB-DETR, `ref_point_head` and `query_scale`.
 */
export class BoxPosition {
  readonly #width: number;
  readonly #scale: Mlp;
  readonly #head: Mlp;

  constructor(scope: Scope, width: number) {
    this.#width = width;
    this.#scale = new Mlp(scope.at('query_scale'), [width, width, width]);
    this.#head = new Mlp(scope.at('ref_point_head'), [2 * width, width, width]);
  }

  /**
   * @param boxes `[batch, queries, 4]`, in [0, 1] of the canvas
   * @param content `[batch, queries, width]`
   * @param layer index of the decoder layer
   * @returns `[batch, queries, width]`
   */
  apply(boxes: tf.Tensor3D, content: tf.Tensor3D, layer: number): tf.Tensor3D {
    const position = this.#head.apply(sineOfBoxes(boxes, this.#width / 2)); // [batch, queries, 2 width] → [batch, queries, width]
    return (layer === 0 ? position : tf.mul(this.#scale.apply(content), position)) as tf.Tensor3D;
  }
}
