import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../errors.js';

/**
 * How an array lies in the official state dict, and how TensorFlow.js wants it:
 * `plain` the same; `linear` `[out, in]` there and `[in, out]` here; `conv` `[out, in, h, w]` there and `[h, w, in, out]` here.
 */
export type Layout = 'plain' | 'linear' | 'conv';

/** What a weight is before anything is loaded. */
export type Initializer =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'values'; readonly values: Float32Array };

export const zeros: Initializer = { kind: 'constant', value: 0 };
export const ones: Initializer = { kind: 'constant', value: 1 };
export const normal = (deviation: number): Initializer => ({ kind: 'normal', deviation });
/** Xavier's uniform distribution for a matrix or a convolution of PyTorch's shape. */
export const xavier = ([outputs, inputs, ...window]: readonly number[]): Initializer => {
  const area = window.reduce((product, size) => product * size, 1);
  return { kind: 'uniform', bound: Math.sqrt(6 / ((outputs! + inputs!) * area)) };
};
/** PyTorch's own start of a linear layer or a convolution, its bias too: uniform within 1 / √inputs. */
export const fanIn = (inputs: number): Initializer => ({ kind: 'uniform', bound: 1 / Math.sqrt(inputs) });

const permutations: Record<Layout, { toHere: readonly number[] | null; toOfficial: readonly number[] | null }> = {
  plain: { toHere: null, toOfficial: null },
  linear: { toHere: [1, 0], toOfficial: [1, 0] },
  conv: { toHere: [2, 3, 1, 0], toOfficial: [3, 2, 0, 1] },
};

/** One array of a model's state dict. Values are put in by `set`, in the official layout. */
export class Parameter {
  /** The official name, e.g. `transformer.level_embed`. */
  readonly name: string;
  /** The shape in the official state dict. */
  readonly shape: readonly number[];
  readonly layout: Layout;
  /** False for what no training changes: buffers, and the frozen first layers of a backbone. */
  readonly trained: boolean;
  readonly initializer: Initializer;
  #variable: tf.Variable | undefined;

  constructor(name: string, shape: readonly number[], layout: Layout, trained: boolean, initializer: Initializer) {
    this.name = name;
    this.shape = shape;
    this.layout = layout;
    this.trained = trained;
    this.initializer = initializer;
  }

  get size(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /**
   * The values in the layout of TensorFlow.js.
   * @throws RelflowError where none were loaded
   */
  get variable(): tf.Variable {
    if (!this.#variable) throw new RelflowError('no-weights', `${this.name} has no values: load weights first`);
    return this.#variable;
  }

  get loaded(): boolean {
    return this.#variable !== undefined;
  }

  /** @param values row by row, in the official layout; copied */
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

  /** @returns the values, row by row, in the official layout */
  async values(): Promise<Float32Array> {
    return this.official(this.variable);
  }

  /** An array of this parameter's shape here (its gradient, say) in the official layout. */
  async official(value: tf.Tensor): Promise<Float32Array> {
    const { toOfficial } = permutations[this.layout];
    if (!toOfficial) return (await value.data()) as Float32Array;
    const tensor = tf.transpose(value, [...toOfficial]);
    const values = (await tensor.data()) as Float32Array;
    tensor.dispose();
    return values;
  }

  dispose(): void {
    this.#variable?.dispose();
    this.#variable = undefined;
  }
}

/** Where the layers of a model declare their parameters: a path in the state dict. */
export class Scope {
  readonly #list: Map<string, Parameter>;
  readonly #path: string;
  readonly #trained: boolean;

  constructor(list: Map<string, Parameter> = new Map(), path = '', trained = true) {
    this.#list = list;
    this.#path = path;
    this.#trained = trained;
  }

  /** The scope of a part, e.g. `scope.at('layers', 0)`. */
  at(...path: readonly (string | number)[]): Scope {
    const full = [this.#path, ...path].filter((part) => part !== '').join('.');
    return new Scope(this.#list, full, this.#trained);
  }

  /** The same scope, for parameters that no training changes. */
  frozen(): Scope {
    return new Scope(this.#list, this.#path, false);
  }

  parameter(name: string, shape: readonly number[], initializer: Initializer, layout: Layout = 'plain'): Parameter {
    const full = this.#path === '' ? name : `${this.#path}.${name}`;
    const known = this.#list.get(full);
    if (known) throw new Error(`two parameters are called ${full}`);
    const parameter = new Parameter(full, shape, layout, this.#trained, initializer);
    this.#list.set(full, parameter);
    return parameter;
  }

  /** Everything declared so far, in order. */
  get parameters(): ReadonlyMap<string, Parameter> {
    return this.#list;
  }
}
