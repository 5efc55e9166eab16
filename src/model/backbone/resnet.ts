import * as tf from '@tensorflow/tfjs-core';
import type { ResNetShape } from '../model-config.js';
import { type ConvolutionOptions, convolution, maxPool } from '../ops/convolution.js';
import { ones, type Parameter, type Scope, zeros } from '../parameter-scope.js';

const EPSILON = 1e-5;

/**
 * Convolution without bias, followed by batch normalization with frozen statistics and weights.
 * Source: DETR, `FrozenBatchNorm2d`.
 */
class NormalizedConvolution {
  readonly #filter: Parameter;
  readonly #norm: readonly Parameter[];
  readonly #options: ConvolutionOptions;

  constructor(
    convolutionScope: Scope,
    normScope: Scope,
    inputs: number,
    outputs: number,
    window: number,
    options: ConvolutionOptions,
  ) {
    // He initialization, for a ReLU after the convolution.
    const deviation = Math.sqrt(2 / (outputs * window * window));
    this.#filter = convolutionScope.parameter(
      'weight',
      [outputs, inputs, window, window],
      { kind: 'normal', deviation },
      'conv',
    );
    const buffers = normScope.frozen();
    this.#norm = [
      buffers.parameter('weight', [outputs], ones),
      buffers.parameter('bias', [outputs], zeros),
      buffers.parameter('running_mean', [outputs], zeros),
      buffers.parameter('running_var', [outputs], ones),
    ];
    this.#options = options;
  }

  /** @param x `[batch, height, width, inputs]` @returns `[batch, outHeight, outWidth, outputs]`, see `convolution` */
  apply(x: tf.Tensor4D, activation: 'linear' | 'relu'): tf.Tensor4D {
    const [weight, bias, mean, variance] = this.#norm.map(({ variable }) => variable as tf.Tensor);
    // Folds the normalization into the filter, which has far fewer numbers than the map.
    const scale = tf.mul(weight!, tf.rsqrt(tf.add(variance!, EPSILON)));
    const filter = tf.mul(this.#filter.variable, scale) as tf.Tensor4D;
    return convolution(x, filter, tf.sub(bias!, tf.mul(mean!, scale)) as tf.Tensor1D, { ...this.#options, activation });
  }
}

/** Bottleneck block: 1 × 1, 3 × 3 (with the stride) and 1 × 1 convolutions with a skip connection. Source: torchvision, `Bottleneck`. */
class Bottleneck {
  readonly #first: NormalizedConvolution;
  readonly #second: NormalizedConvolution;
  readonly #third: NormalizedConvolution;
  readonly #shortcut: NormalizedConvolution | null;

  constructor(scope: Scope, inputs: number, width: number, stride: number) {
    const part = (k: number, from: number, to: number, window: number, options: ConvolutionOptions) =>
      new NormalizedConvolution(scope.at(`conv${k}`), scope.at(`bn${k}`), from, to, window, options);
    this.#first = part(1, inputs, width, 1, {});
    this.#second = part(2, width, width, 3, { stride, padding: 1 });
    this.#third = part(3, width, 4 * width, 1, {});
    const shortcut = scope.at('downsample');
    this.#shortcut =
      inputs !== 4 * width || stride !== 1
        ? new NormalizedConvolution(shortcut.at(0), shortcut.at(1), inputs, 4 * width, 1, { stride })
        : null;
  }

  /** @param x `[batch, height, width, inputs]` @returns `[batch, ⌈height / stride⌉, ⌈width / stride⌉, 4 · width]` */
  apply(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => {
      const y = this.#third.apply(this.#second.apply(this.#first.apply(x, 'relu'), 'relu'), 'linear');
      return tf.relu(tf.add(y, this.#shortcut ? this.#shortcut.apply(x, 'linear') : x));
    });
  }
}

/**
 * Residual network that returns the maps of its last three stages. The stem and the first stage are frozen.
 * Source: He et al., 2016, with the stride in the 3 × 3 convolution, as in torchvision; frozen parts as in DETR.
 */
export class ResNet {
  /** Channels of the three outputs. */
  readonly channels: readonly [number, number, number];
  /** Offset of the sine positions, see `sinePositions`. */
  readonly positionShift = 0;
  readonly #stem: NormalizedConvolution;
  readonly #stages: readonly (readonly Bottleneck[])[];

  constructor(scope: Scope, { stem, width, depths }: ResNetShape) {
    const body = scope.at('body');
    const frozen = body.frozen();
    this.#stem = new NormalizedConvolution(frozen.at('conv1'), frozen.at('bn1'), 3, stem, 7, { stride: 2, padding: 3 });
    let inputs = stem;
    this.#stages = depths.map((depth, stage) => {
      const inside = width * 2 ** stage;
      return Array.from({ length: depth }, (_, k) => {
        const block = new Bottleneck(
          (stage === 0 ? frozen : body).at(`layer${stage + 1}`, k),
          inputs,
          inside,
          k === 0 && stage > 0 ? 2 : 1,
        );
        inputs = 4 * inside;
        return block;
      });
    });
    this.channels = [8 * width, 16 * width, 32 * width];
  }

  /**
   * @param pixels normalized, `[batch, height, width, 3]`
   * @returns three maps `[batch, height / s, width / s, channels]` at 1/8, 1/16 and 1/32 of the image size, rounded up
   */
  apply(pixels: tf.Tensor4D): tf.Tensor4D[] {
    let x = tf.tidy(() => maxPool(this.#stem.apply(pixels, 'relu'))); // [batch, height / 4, width / 4, stem]
    const outputs = this.#stages.map((blocks) => {
      x = tf.tidy(() => blocks.reduce((y, block) => block.apply(y), x));
      return x;
    });
    return outputs.slice(1);
  }
}
