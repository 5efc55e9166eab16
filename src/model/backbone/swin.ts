import * as tf from '@tensorflow/tfjs-core';
import { type Dropout, noDropout } from '../layers/dropout.js';
import { Linear, type LinearOptions } from '../layers/linear.js';
import { LayerNorm } from '../layers/norms.js';
import type { SwinShape } from '../model-config.js';
import { convolution } from '../ops/convolution.js';
import { gelu } from '../ops/gelu.js';
import { fanIn, normal, type Parameter, type Scope, zeros } from '../parameter-scope.js';
import { padToWindows, rollWindows, WindowAttention, windowMask } from './window-attention.js';

const PATCH = 4;
const start: LinearOptions = { weight: normal(0.02), bias: zeros };

/**
 * Swin block: attention within windows, which are shifted in every second block, then a feed-forward network, with a layer
 * norm before each.
 * Source: Liu et al., "Swin Transformer", 2021, `SwinTransformerBlock`.
 */
class SwinBlock {
  readonly #window: number;
  readonly #shift: number;
  readonly #dropPath: number;
  readonly #attentionNorm: LayerNorm;
  readonly #attention: WindowAttention;
  readonly #norm: LayerNorm;
  readonly #hidden: Linear;
  readonly #output: Linear;

  constructor(scope: Scope, width: number, heads: number, window: number, shift: number, dropPath: number) {
    this.#window = window;
    this.#shift = shift;
    this.#dropPath = dropPath;
    const frozen = scope.frozen();
    this.#attentionNorm = new LayerNorm(frozen.at('norm1'), width);
    this.#attention = new WindowAttention(scope.at('attn'), width, heads, window);
    this.#norm = new LayerNorm(frozen.at('norm2'), width);
    this.#hidden = new Linear(scope.at('mlp', 'fc1'), width, 4 * width, start);
    this.#output = new Linear(scope.at('mlp', 'fc2'), 4 * width, width, start);
  }

  /** @param x `[batch, height, width, channels]` @returns the shape of x */
  apply(x: tf.Tensor4D, drop: Dropout): tf.Tensor4D {
    const [, height, width] = x.shape;
    return tf.tidy(() => {
      const normalized = padToWindows(this.#attentionNorm.apply(x) as tf.Tensor4D, this.#window);
      const shifted = rollWindows(normalized, this.#shift);
      const [, rows, columns] = shifted.shape;
      const mask = this.#shift > 0 ? windowMask(rows, columns, this.#window, this.#shift) : null;
      const attention = rollWindows(this.#attention.apply(shifted, mask), -this.#shift);
      const attended = tf.add(
        x,
        this.#stochasticDepth(tf.slice(attention, [0, 0, 0, 0], [-1, height, width, -1]), drop),
      );
      const output = this.#output.apply(gelu(this.#hidden.apply(this.#norm.apply(attended))));
      return tf.add(attended, this.#stochasticDepth(output, drop));
    });
  }

  /** Stochastic depth: drops the update of whole images at random while training. Source: Huang et al., 2016. */
  #stochasticDepth(change: tf.Tensor, drop: Dropout): tf.Tensor {
    if (drop === noDropout || this.#dropPath === 0) return change;
    return tf.mul(change, drop(tf.ones([change.shape[0]!, 1, 1, 1]), this.#dropPath));
  }
}

/** Merges 2 × 2 cells into one cell with twice as many channels. Source: Liu et al., 2021, `PatchMerging`. */
class PatchMerging {
  readonly #norm: LayerNorm;
  readonly #reduction: Parameter;

  constructor(scope: Scope, width: number) {
    this.#reduction = scope.at('reduction').parameter('weight', [2 * width, 4 * width], normal(0.02), 'linear');
    this.#norm = new LayerNorm(scope.frozen().at('norm'), 4 * width);
  }

  /** @param x `[batch, height, width, channels]` @returns `[batch, ⌈height / 2⌉, ⌈width / 2⌉, 2 · channels]` */
  apply(x: tf.Tensor4D): tf.Tensor4D {
    const [batch, height, width, channels] = padToWindows(x, 2).shape;
    const cells = tf.reshape(padToWindows(x, 2), [batch, height / 2, 2, width / 2, 2, channels]);
    // The four cells are in the order of the official weights: down first, then right.
    const four = tf.reshape(tf.transpose(cells, [0, 1, 3, 4, 2, 5]), [-1, 4 * channels]); // [batch · cells, 4 · channels]
    const merged = tf.matMul(this.#norm.apply(four) as tf.Tensor2D, this.#reduction.variable as tf.Tensor2D);
    return tf.reshape(merged, [batch, height / 2, width / 2, 2 * channels]);
  }
}

/** Swin transformer that returns the maps of its last three stages, each normalized. Source: Liu et al., "Swin Transformer", 2021. */
export class Swin {
  /** Channels of the three outputs. */
  readonly channels: readonly [number, number, number];
  /** Offset of the sine positions: they lie at the centers of cells, those of a residual network at the ends. */
  readonly positionShift = -0.5;
  readonly #patches: { readonly filter: Parameter; readonly bias: Parameter; readonly norm: LayerNorm };
  readonly #stages: readonly { readonly blocks: readonly SwinBlock[]; readonly merge: PatchMerging | null }[];
  readonly #norms: readonly LayerNorm[];

  constructor(scope: Scope, { width, depths, heads, window, dropPath }: SwinShape) {
    const body = scope.at('body');
    const patches = body.at('patch_embed');
    const inputs = 3 * PATCH * PATCH;
    this.#patches = {
      filter: patches.at('proj').parameter('weight', [width, 3, PATCH, PATCH], fanIn(inputs), 'conv'),
      bias: patches.at('proj').parameter('bias', [width], fanIn(inputs)),
      norm: new LayerNorm(patches.frozen().at('norm'), width),
    };
    const total = depths.reduce((sum, depth) => sum + depth, 0);
    let before = 0;
    this.#stages = depths.map((depth, stage) => {
      const channels = width * 2 ** stage;
      const layer = body.at('layers', stage);
      const blocks = Array.from({ length: depth }, (_, k) => {
        const rate = (dropPath * (before + k)) / Math.max(1, total - 1);
        const shift = k % 2 === 0 ? 0 : Math.floor(window / 2);
        return new SwinBlock(layer.at('blocks', k), channels, heads[stage]!, window, shift, rate);
      });
      before += depth;
      return { blocks, merge: stage < depths.length - 1 ? new PatchMerging(layer.at('downsample'), channels) : null };
    });
    this.channels = [2 * width, 4 * width, 8 * width];
    this.#norms = this.channels.map((channels, k) => new LayerNorm(body.frozen().at(`norm${k + 1}`), channels));
  }

  /**
   * @param pixels normalized, `[batch, height, width, 3]`
   * @returns three maps `[batch, height / s, width / s, channels]` at 1/8, 1/16 and 1/32 of the image size, rounded up
   */
  apply(pixels: tf.Tensor4D, drop: Dropout): tf.Tensor4D[] {
    const { filter, bias, norm } = this.#patches;
    const padded = padToWindows(pixels, PATCH);
    let x = norm.apply(
      convolution(padded, filter.variable as tf.Tensor4D, bias.variable as tf.Tensor1D, { stride: PATCH }),
    ) as tf.Tensor4D; // [batch, height / 4, width / 4, width of the first stage]
    const outputs: tf.Tensor4D[] = [];
    for (const [k, { blocks, merge }] of this.#stages.entries()) {
      const input = x;
      x = tf.tidy(() => blocks.reduce((y, block) => block.apply(y, drop), input));
      if (k > 0) outputs.push(this.#norms[k - 1]!.apply(x) as tf.Tensor4D);
      if (merge) x = merge.apply(x);
    }
    return outputs;
  }
}
