import * as tf from '@tensorflow/tfjs-core';
import { convolution } from '../ops/convolution.js';
import { type Parameter, type Scope, xavier, zeros } from '../parameter-scope.js';
import { GroupNorm } from './norms.js';

const GROUPS = 32;

/**
 * Projects the backbone's feature maps to one number of channels and adds coarser levels by strided convolutions.
 * Source: Deformable DETR, section 4.1, `input_proj`.
 */
export class FeatureLevels {
  readonly #parts: readonly {
    readonly filter: Parameter;
    readonly bias: Parameter;
    readonly norm: GroupNorm;
    readonly isExtra: boolean;
  }[];

  /** @param channels of the backbone's maps, finest first */
  constructor(scope: Scope, channels: readonly number[], width: number, levels: number) {
    const last = channels[channels.length - 1]!;
    this.#parts = Array.from({ length: levels }, (_, k) => {
      const isExtra = k >= channels.length;
      const inputs = isExtra ? (k === channels.length ? last : width) : channels[k]!;
      const shape = isExtra ? [width, inputs, 3, 3] : [width, inputs, 1, 1];
      return {
        filter: scope.at(k, 0).parameter('weight', shape, xavier(shape), 'conv'),
        bias: scope.at(k, 0).parameter('bias', [width], zeros),
        norm: new GroupNorm(scope.at(k, 1), Math.min(GROUPS, width), width),
        isExtra,
      };
    });
  }

  /**
   * @param maps of the backbone, finest first, `[batch, height, width, channels]` each
   * @returns one map per level, finest first, `[batch, height, width, width of the model]` each
   */
  apply(maps: readonly tf.Tensor4D[]): tf.Tensor4D[] {
    const levels: tf.Tensor4D[] = [];
    for (const [k, { filter, bias, norm, isExtra }] of this.#parts.entries()) {
      // The first added level is computed from the backbone's last map, not from its projection.
      const input = isExtra ? (k === maps.length ? maps[maps.length - 1]! : levels[k - 1]!) : maps[k]!;
      const options = isExtra ? { stride: 2, padding: 1 } : {};
      levels.push(
        tf.tidy(() =>
          norm.apply(convolution(input, filter.variable as tf.Tensor4D, bias.variable as tf.Tensor1D, options)),
        ),
      );
    }
    return levels;
  }
}
