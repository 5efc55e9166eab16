import * as tf from '@tensorflow/tfjs-core';
import { linear } from '../layers/linear.js';
import type { ConvolutionsShape } from '../model-config.js';
import { imageToColumns } from '../ops/image-to-columns.js';
import { type Parameter, type Scope, zeros } from '../parameter-scope.js';

const WINDOW = 3;

/** A 3 × 3 convolution with a bias, rectified. */
class Convolution {
  readonly #filter: Parameter;
  readonly #bias: Parameter;
  readonly #inputs: number;
  readonly #outputs: number;
  readonly #stride: number;

  constructor(scope: Scope, inputs: number, outputs: number, stride: number) {
    // He's start, fitting a ReLU.
    const deviation = Math.sqrt(2 / (inputs * WINDOW * WINDOW));
    const shape = [outputs, inputs, WINDOW, WINDOW];
    this.#filter = scope.parameter('weight', shape, { kind: 'normal', deviation }, 'conv');
    this.#bias = scope.parameter('bias', [outputs], zeros);
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#stride = stride;
  }

  apply(x: tf.Tensor4D): tf.Tensor4D {
    const taps = WINDOW * WINDOW * this.#inputs;
    const filter = tf.reshape(this.#filter.variable, [taps, this.#outputs]);
    const columns = imageToColumns(x, { window: WINDOW, stride: this.#stride, padding: 1 });
    return linear(columns, filter, this.#bias.variable, 'relu') as tf.Tensor4D;
  }
}

/**
 * A few convolutions that are trained from nothing in minutes: each halves the map, and at an eighth and a
 * sixteenth of the image's size another one looks further and is added. No part of it is frozen, and it needs no normalisation to be deep.
 */
export class Convolutions {
  /** Channels of the three outputs. */
  readonly channels: readonly [number, number, number];
  /** Added to the counts of the sine positions that go with it. */
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
   * @param pixels `[batch, height, width, 3]`, normalised
   * @returns three maps `[batch, height, width, channels]`, an eighth, a sixteenth and a thirty-second of the image's size
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
