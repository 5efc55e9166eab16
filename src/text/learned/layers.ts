import type { Kernels } from './kernels/kernels.js';
import { type PackedMatrix, packMatrix } from './kernels/packed-matrix.js';
import { type NetworkSizes, type ParameterName, type Parameters, parameterShapes } from './parameters.js';

/** The network's linear layers: which parameters they have, and whether what is below zero becomes zero. */
export const linearLayers = {
  context: { bias: 'contextBias', isRelu: false },
  tagHidden: { bias: 'tagHiddenBias', isRelu: true },
  tags: { bias: 'tagBias', isRelu: false },
  relate: { bias: 'relateBias', isRelu: false },
  mention: { bias: null, isRelu: false },
  between: { bias: null, isRelu: false },
  pair: { bias: 'pairHiddenBias', isRelu: true },
  labels: { bias: 'labelBias', isRelu: false },
  verb: { bias: null, isRelu: false },
  preposition: { bias: null, isRelu: false },
  attribute: { bias: null, isRelu: false },
  owner: { bias: null, isRelu: false },
  attributeScore: { bias: 'attributeScoreBias', isRelu: false },
} as const satisfies Partial<Record<ParameterName, { bias: ParameterName | null; isRelu: boolean }>>;

export type LinearLayer = keyof typeof linearLayers;

/** How the network multiplies. */
export interface Layers {
  /** y = b + x · w, or max(…, 0) of it. @param x `[rows, inputs]`; y `[rows, outputs]`, from an offset on */
  apply(layer: LinearLayer, rows: number, x: Float32Array, xStart: number, y: Float32Array, yStart: number): void;
}

/** In 32-bit floats: what training needs, and what the packed ones are compared with. */
export class FloatLayers implements Layers {
  readonly #kernels: Kernels;
  readonly #shapes: ReturnType<typeof parameterShapes>;
  readonly #parameters: Parameters;

  constructor(kernels: Kernels, sizes: NetworkSizes, parameters: Parameters) {
    this.#kernels = kernels;
    this.#shapes = parameterShapes(sizes);
    this.#parameters = parameters;
  }

  apply(layer: LinearLayer, rows: number, x: Float32Array, xStart: number, y: Float32Array, yStart: number): void {
    const [inputs, outputs] = this.#shapes[layer];
    const { bias, isRelu } = linearLayers[layer];
    const b = bias && this.#parameters[bias];
    this.#kernels.linear(rows, x, xStart, inputs, this.#parameters[layer], b, y, yStart, outputs);
    if (isRelu) this.#kernels.relu(y.subarray(yStart), rows * outputs);
  }
}

/** In whole numbers of 12 bits, of parameters that change no more. */
export class PackedLayers implements Layers {
  readonly #kernels: Kernels;
  readonly #matrices: Readonly<Record<LinearLayer, PackedMatrix>>;

  constructor(kernels: Kernels, sizes: NetworkSizes, parameters: Parameters) {
    this.#kernels = kernels;
    const shapes = parameterShapes(sizes);
    const pack = (layer: LinearLayer) => {
      const [inputs, outputs] = shapes[layer];
      const { bias } = linearLayers[layer];
      return packMatrix(kernels, inputs, outputs, parameters[layer], bias && parameters[bias]);
    };
    const names = Object.keys(linearLayers) as LinearLayer[];
    this.#matrices = Object.fromEntries(names.map((name) => [name, pack(name)])) as Record<LinearLayer, PackedMatrix>;
  }

  apply(layer: LinearLayer, rows: number, x: Float32Array, xStart: number, y: Float32Array, yStart: number): void {
    this.#kernels.linearWhole(rows, x, xStart, this.#matrices[layer], y, yStart, linearLayers[layer].isRelu);
  }
}
