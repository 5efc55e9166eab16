import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../errors.js';

/**
 * Axis order of an array in the official state dict and in TensorFlow.js. `plain`: the same in both. `linear`: `[out, in]` in
 * the state dict, `[in, out]` here. `conv`: `[out, in, h, w]` in the state dict, `[h, w, in, out]` here.
 */
export type Layout = 'plain' | 'linear' | 'conv';

/** Initial values of a parameter. `uniform` is within ±bound; `values` are in row-major order of the official layout. */
export type Initializer =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'values'; readonly values: Float32Array };

/** Initializes all values with 0. */
export const zeros: Initializer = { kind: 'constant', value: 0 };
/** Initializes all values with 1. */
export const ones: Initializer = { kind: 'constant', value: 1 };
/** Normal distribution with mean 0. */
export const normal = (deviation: number): Initializer => ({ kind: 'normal', deviation });
/** Xavier's uniform distribution, for a matrix `[out, in]` or a convolution `[out, in, h, w]`. */
export const xavier = ([outputs, inputs, ...window]: readonly number[]): Initializer => {
  const area = window.reduce((product, size) => product * size, 1);
  return { kind: 'uniform', bound: Math.sqrt(6 / ((outputs! + inputs!) * area)) };
};
/** PyTorch's default distribution of weights and biases of linear layers and convolutions: uniform within ±1 / √inputs. */
export const fanIn = (inputs: number): Initializer => ({ kind: 'uniform', bound: 1 / Math.sqrt(inputs) });

const permutations: Record<Layout, { toHere: readonly number[] | null; toOfficial: readonly number[] | null }> = {
  plain: { toHere: null, toOfficial: null },
  linear: { toHere: [1, 0], toOfficial: [1, 0] },
  conv: { toHere: [2, 3, 1, 0], toOfficial: [3, 2, 0, 1] },
};

/** One array of a model's state dict. It has no values until `set` is called. */
export class Parameter {
  /** Name in the official state dict, e.g. `transformer.level_embed`. */
  readonly name: string;
  /** Shape in the official state dict. */
  readonly shape: readonly number[];
  /** Axis order. */
  readonly layout: Layout;
  /** False for buffers and for frozen layers of a backbone, which training does not change. */
  readonly trained: boolean;
  /** Initial values for training. */
  readonly initializer: Initializer;
  #variable: tf.Variable | undefined;

  constructor(name: string, shape: readonly number[], layout: Layout, trained: boolean, initializer: Initializer) {
    this.name = name;
    this.shape = shape;
    this.layout = layout;
    this.trained = trained;
    this.initializer = initializer;
  }

  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /**
   * Variable with the values, in the layout of TensorFlow.js.
   * @throws RelflowError (`no-weights`) if the parameter has no values yet
   */
  get variable(): tf.Variable {
    if (!this.#variable)
      throw new RelflowError('no-weights', `parameter ${this.name} has no values: load or initialize weights first`);
    return this.#variable;
  }

  /** True if the parameter has values. */
  get loaded(): boolean {
    return this.#variable !== undefined;
  }

  /**
   * Sets the values, which are copied.
   * @param values in row-major order of the official layout
   */
  set(values: Float32Array): void {
    const { toHere } = permutations[this.layout];
    const tensor = tf.tidy(() => {
      const official = tf.tensor(values, [...this.shape], 'float32');
      return toHere ? tf.transpose(official, [...toHere]) : official;
    });
    if (this.#variable) {
      this.#variable.assign(tensor);
      tensor.dispose();
    } else {
      this.#variable = tf.variable(tensor, this.trained);
      tensor.dispose();
    }
  }

  /** @returns the values, in row-major order of the official layout */
  async values(): Promise<Float32Array> {
    return this.official(this.variable);
  }

  /**
   * Converts an array with the shape of `variable`, such as its gradient, to the official layout.
   * @returns the numbers in row-major order of the official layout
   */
  async official(value: tf.Tensor): Promise<Float32Array> {
    const { toOfficial } = permutations[this.layout];
    if (!toOfficial) return (await value.data()) as Float32Array;
    const tensor = tf.transpose(value, [...toOfficial]);
    const values = (await tensor.data()) as Float32Array;
    tensor.dispose();
    return values;
  }

  /** Frees the values. */
  dispose(): void {
    this.#variable?.dispose();
    this.#variable = undefined;
  }
}

/** Path in the state dict below which a layer declares its parameters. */
export class Scope {
  readonly #list: Map<string, Parameter>;
  readonly #path: string;
  readonly #trained: boolean;

  constructor(list: Map<string, Parameter> = new Map(), path = '', trained = true) {
    this.#list = list;
    this.#path = path;
    this.#trained = trained;
  }

  /** Returns the scope below this one, e.g. `scope.at('layers', 0)`. */
  at(...path: readonly (string | number)[]): Scope {
    const full = [this.#path, ...path].filter((part) => part !== '').join('.');
    return new Scope(this.#list, full, this.#trained);
  }

  /** Returns the same path, with parameters that training does not change. */
  frozen(): Scope {
    return new Scope(this.#list, this.#path, false);
  }

  /**
   * Declares a parameter.
   * @param name last part of its name in the state dict
   * @param shape in the official state dict
   * @throws Error if a parameter of this name exists
   */
  parameter(name: string, shape: readonly number[], initializer: Initializer, layout: Layout = 'plain'): Parameter {
    const full = this.#path === '' ? name : `${this.#path}.${name}`;
    const known = this.#list.get(full);
    if (known) throw new Error(`parameter ${full} is declared twice`);
    const parameter = new Parameter(full, shape, layout, this.#trained, initializer);
    this.#list.set(full, parameter);
    return parameter;
  }

  /** All parameters declared so far, by name, in order of declaration. */
  get parameters(): ReadonlyMap<string, Parameter> {
    return this.#list;
  }
}
