import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from '../ops/custom-kernel.js';
import { fanIn, type Initializer, type Parameter, type Scope, xavier, zeros } from '../parameter-scope.js';

/** Activation that a linear layer applies to its output; `linear` applies none. */
export type Activation = 'linear' | 'relu';

/** Initial values of a linear layer's weight and bias. */
export interface LinearOptions {
  readonly weight?: Initializer;
  readonly bias?: Initializer;
}

/** PyTorch's default initialization of a linear layer: uniform within 1 / √inputs. */
export const defaultLinear = (inputs: number): LinearOptions => ({ weight: fanIn(inputs), bias: fanIn(inputs) });

/**
 * Linear layer y = x Wᵀ + b with the parameters `weight` `[outputs, inputs]` and `bias` `[outputs]`. By default the weight
 * starts with Xavier's uniform distribution and the bias with 0.
 * Source: PyTorch, `Linear`.
 */
export class Linear {
  readonly inputs: number;
  readonly outputs: number;
  readonly #weight: Parameter;
  readonly #bias: Parameter;

  constructor(scope: Scope, inputs: number, outputs: number, options: LinearOptions = {}) {
    this.inputs = inputs;
    this.outputs = outputs;
    const shape = [outputs, inputs];
    this.#weight = scope.parameter('weight', shape, options.weight ?? xavier(shape), 'linear');
    this.#bias = scope.parameter('bias', [outputs], options.bias ?? zeros);
  }

  /** @param x `[…, inputs]` @returns `[…, outputs]` */
  apply(x: tf.Tensor, activation: Activation = 'linear'): tf.Tensor {
    return linear(x, this.#weight.variable, this.#bias.variable, activation);
  }

  /**
   * Applies to each of several inputs its own share of the outputs, as the heads of an attention do: head h computes outputs
   * h · size to (h + 1) · size − 1, with size = outputs / heads.
   * @param x `[rows, heads, inputs]`
   * @param shares factor of the bias, `[rows, heads, 1]`
   * @returns `[rows, outputs]`
   */
  applyByHead(x: tf.Tensor3D, shares: tf.Tensor3D): tf.Tensor2D {
    const [rows, heads, inputs] = x.shape;
    const size = this.outputs / heads;
    const weights = tf.transpose(tf.reshape(this.#weight.variable, [inputs, heads, size]), [1, 0, 2]); // [heads, inputs, size]
    const products = tf.transpose(tf.matMul(tf.transpose(x, [1, 0, 2]), weights), [1, 0, 2]); // [rows, heads, size]
    const bias = tf.mul(shares, tf.reshape(this.#bias.variable, [1, heads, size]));
    return tf.reshape(tf.add(products, bias), [rows, this.outputs]);
  }
}

/**
 * Linear map y = x W + b, followed by the activation.
 * @param x `[…, inputs]`
 * @param weight `[inputs, outputs]`
 * @param bias `[outputs]`
 * @returns `[…, outputs]`
 */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, activation: Activation = 'linear'): tf.Tensor {
  return hasKernel('RelflowLinear')
    ? fusedLinear(x, weight, bias, activation)
    : referenceLinear(x, weight, bias, activation);
}

function fusedLinear(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, activation: Activation): tf.Tensor {
  const run = tf.customGrad((...all) => {
    const [input, matrix, shift] = all as tf.Tensor[];
    const save = all[3] as unknown as tf.GradSaveFunc;
    const value = runKernel('RelflowLinear', { x: input!, weight: matrix!, bias: shift! }, { activation })[0]!;
    save(activation === 'relu' ? [input!, matrix!, value] : [input!, matrix!]);
    const gradFunc = (dy: tf.Tensor, [saved, savedWeight, y]: tf.Tensor[]) =>
      runKernel('RelflowLinearGradient', { x: saved!, weight: savedWeight!, dy, ...(y && { y }) });
    return { value, gradFunc };
  });
  return run(x, weight, bias);
}

/** Reference implementation of `linear`, which uses only TensorFlow.js kernels. Shapes as there. */
export function referenceLinear(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, activation: Activation): tf.Tensor {
  const rows = x.size / weight.shape[0]!;
  const y = tf.fused.matMul({
    a: tf.reshape(x, [rows, weight.shape[0]!]),
    b: weight as tf.Tensor2D,
    bias,
    activation,
  });
  return tf.reshape(y, [...x.shape.slice(0, -1), weight.shape[1]!]);
}

/** Multi-layer perceptron: linear layers `layers.0`, `layers.1`, … with a ReLU after each but the last. Source: DETR, `MLP`. */
export class Mlp {
  readonly #layers: readonly Linear[];

  /**
   * @param widths of the input, of each hidden layer, and of the output
   * @param last initial values of the last layer, default PyTorch's
   */
  constructor(scope: Scope, widths: readonly number[], last: LinearOptions = {}) {
    this.#layers = widths.slice(1).map((outputs, k) => {
      const inputs = widths[k]!;
      const options = k === widths.length - 2 ? { ...defaultLinear(inputs), ...last } : defaultLinear(inputs);
      return new Linear(scope.at('layers', k), inputs, outputs, options);
    });
  }

  /** @param x `[…, widths[0]]` @returns `[…, last width]` */
  apply(x: tf.Tensor): tf.Tensor {
    const end = this.#layers.length - 1;
    return this.#layers.reduce((y, layer, k) => layer.apply(y, k < end ? 'relu' : 'linear'), x);
  }
}
