import * as tf from '@tensorflow/tfjs-core';
import { linear } from '../layers/linear.js';
import type { ConvolutionsShape } from '../model-config.js';
import { imageToColumns } from '../ops/image-to-columns.js';
import { type Parameter, type Scope, zeros } from '../parameter-scope.js';

const WINDOW = 3;

/** 3 × 3 convolution with bias and ReLU. */
class Convolution {
  readonly #filter: Parameter;
  readonly #bias: Parameter;
  readonly #inputs: number;
  readonly #outputs: number;
  readonly #stride: number;

  constructor(scope: Scope, inputs: number, outputs: number, stride: number) {
    // He initialization, for a ReLU after the convolution.
    const deviation = Math.sqrt(2 / (inputs * WINDOW * WINDOW));
    const shape = [outputs, inputs, WINDOW, WINDOW];
    this.#filter = scope.parameter('weight', shape, { kind: 'normal', deviation }, 'conv');
    this.#bias = scope.parameter('bias', [outputs], zeros);
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#stride = stride;
  }

  /** @param x `[batch, height, width, inputs]` @returns `[batch, ⌈height / stride⌉, ⌈width / stride⌉, outputs]` */
  apply(x: tf.Tensor4D): tf.Tensor4D {
    const taps = WINDOW * WINDOW * this.#inputs;
    const filter = tf.reshape(this.#filter.variable, [taps, this.#outputs]); // [9 · inputs, outputs]
    const columns = imageToColumns(x, { window: WINDOW, stride: this.#stride, padding: 1 }); // [batch, outHeight, outWidth, 9 · inputs]
    return linear(columns, filter, this.#bias.variable, 'relu') as tf.Tensor4D; // [batch, outHeight, outWidth, outputs]
  }
}

/**
 * Small convolutional backbone that trains from random weights within minutes. Each stage halves the map; at 1/8 and 1/16
 * of the image size a second convolution with a skip connection enlarges the receptive field. All weights are trained, and
 * there is no normalization.
 */
export class Convolutions {
  /** Channels of the three outputs. */
  readonly channels: readonly [number, number, number];
  /** Offset of the sine positions, see `sinePositions`. */
  readonly positionShift = 0;
  readonly #stages: readonly { readonly half: Convolution; readonly further: Convolution | null }[];

  constructor(scope: Scope, { channels }: ConvolutionsShape) {
    const body = scope.at('body');
    this.#stages = channels.map((outputs, k) => ({
      half: new Convolution(body.at(k, 'half'), k === 0 ? 3 : channels[k - 1]!, outputs, 2),
      further: k === 2 || k === 3 ? new Convolution(body.at(k, 'further'), outputs, outputs, 1) : null,
    }));
    this.channels = [channels[2], channels[3], channels[4]];
  }

  /**
   * @param pixels normalized, `[batch, height, width, 3]`
   * @returns three maps `[batch, height / s, width / s, channels]` at 1/8, 1/16 and 1/32 of the image size, rounded up
   */
  apply(pixels: tf.Tensor4D): tf.Tensor4D[] {
    const maps: tf.Tensor4D[] = [];
    let x = pixels;
    for (const { half, further } of this.#stages) {
      x = tf.tidy(() => {
        const y = half.apply(x);
        return further ? tf.add(y, further.apply(y)) : y;
      });
      maps.push(x);
    }
    return maps.slice(2);
  }
}
