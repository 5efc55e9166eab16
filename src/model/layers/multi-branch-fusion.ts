import * as tf from '@tensorflow/tfjs-core';
import type { Scope } from '../parameter-scope.js';
import { defaultLinear, Linear } from './linear.js';

/**
 * Multi-branch fusion of subject and object features: each branch multiplies narrow projections of both and projects the
 * rectified product back; a ReLU is applied to the sum of the branches.
 * Source: Zhang et al., "Spatially Conditioned Graphs", 2021, equation 8; RLIPv2, section 3.3.
 */
export class MultiBranchFusion {
  readonly #branches: readonly { readonly first: Linear; readonly second: Linear; readonly output: Linear }[];

  constructor(scope: Scope, width: number, branches: number) {
    const branchWidth = width / branches;
    const list = (name: string, inputs: number, outputs: number) =>
      Array.from({ length: branches }, (_, k) => new Linear(scope.at(name, k), inputs, outputs, defaultLinear(inputs)));
    const [first, second, output] = [
      list('fc_1', width, branchWidth),
      list('fc_2', width, branchWidth),
      list('fc_3', branchWidth, width),
    ];
    this.#branches = first.map((layer, k) => ({ first: layer, second: second[k]!, output: output[k]! }));
  }

  /** @param a `[…, width]` @param b the same shape @returns the same shape */
  apply(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
    const parts = this.#branches.map(({ first, second, output }) =>
      output.apply(tf.relu(tf.mul(first.apply(a), second.apply(b)))),
    );
    return tf.relu(parts.length > 1 ? tf.addN(parts) : parts[0]!);
  }
}
