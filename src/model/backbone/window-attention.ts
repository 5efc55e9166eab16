import * as tf from '@tensorflow/tfjs-core';
import { Linear } from '../layers/linear.js';
import { joinHeads, splitHeads } from '../ops/attention.js';
import { normal, type Parameter, type Scope, zeros } from '../parameter-scope.js';

/** Added to the scores between cells that are neighbors only because of the shift. */
const MASKED = -100;

/**
 * Pads a map with zeros to the right and below to a multiple of the window size.
 * @param x `[batch, height, width, channels]`
 * @param window cells along a side of a window
 * @returns `[batch, height', width', channels]`
 */
export function padToWindows(x: tf.Tensor4D, window: number): tf.Tensor4D {
  const [, height, width] = x.shape;
  const [below, right] = [-height % window, -width % window].map((rest) => (rest + window) % window) as [
    number,
    number,
  ];
  return below > 0 || right > 0
    ? tf.pad(x, [
        [0, 0],
        [0, below],
        [0, right],
        [0, 0],
      ])
    : x;
}

/**
 * Rolls a map up and left by `shift` cells; cells that leave on one side enter on the other.
 * @param x `[batch, height, width, channels]`
 * @returns the shape of x
 *
 * Source: PyTorch, `roll`.
 */
export function rollWindows(x: tf.Tensor4D, shift: number): tf.Tensor4D {
  if (shift === 0) return x;
  const rollAxis = (map: tf.Tensor4D, axis: 1 | 2): tf.Tensor4D => {
    const size = map.shape[axis];
    const by = (shift + size) % size;
    const part = (from: number, count: number) => {
      const [begin, length] = [
        [0, 0, 0, 0],
        [-1, -1, -1, -1],
      ];
      begin[axis] = from;
      length[axis] = count;
      return tf.slice(map, begin as [number, number, number, number], length as [number, number, number, number]);
    };
    return tf.concat([part(by, size - by), part(0, by)], axis);
  };
  return rollAxis(rollAxis(x, 1), 2);
}

/** Cuts a map into windows: `[batch, height, width, channels]` → `[batch · windows, window², channels]`. */
function toWindows(x: tf.Tensor, window: number): tf.Tensor3D {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const cut = tf.reshape(x, [batch, height / window, window, width / window, window, channels]); // [batch, rows, window, columns, window, channels]
  return tf.reshape(tf.transpose(cut, [0, 1, 3, 2, 4, 5]), [-1, window * window, channels]); // [batch · rows · columns, window², channels]
}

/** Inverse of `toWindows`: `[batch · windows, window², channels]` → `[batch, height, width, channels]`. */
function fromWindows(x: tf.Tensor3D, window: number, [batch, height, width, channels]: number[]): tf.Tensor4D {
  const cut = tf.reshape(x, [batch!, height! / window, width! / window, window, window, channels!]); // [batch, rows, columns, window, window, channels]
  return tf.reshape(tf.transpose(cut, [0, 1, 3, 2, 4, 5]), [batch!, height!, width!, channels!]); // [batch, height, width, channels]
}

/**
 * Attention mask of shifted windows. After the shift a window may contain cells of up to four parts of the map, which must
 * not attend to each other.
 * @param height rows of the padded map
 * @param width columns of the padded map
 * @returns values to add to the scores, `[windows, 1, window², window²]`
 *
 * Source: Liu et al., "Swin Transformer", 2021, section 3.2.
 */
export function windowMask(height: number, width: number, window: number, shift: number): tf.Tensor4D {
  const part = (index: number, size: number) => (index < size - window ? 0 : index < size - shift ? 1 : 2);
  const cells = window * window;
  const values = new Float32Array(((height * width) / cells) * cells * cells);
  let to = 0;
  for (let top = 0; top < height; top += window)
    for (let left = 0; left < width; left += window) {
      const parts = Array.from(
        { length: cells },
        (_, k) => 3 * part(top + Math.floor(k / window), height) + part(left + (k % window), width),
      );
      for (const a of parts) for (const b of parts) values[to++] = a === b ? 0 : MASKED;
    }
  return tf.tensor4d(values, [(height * width) / cells, 1, cells, cells]);
}

/**
 * Multi-head self-attention within windows, with a learned bias for each relative position of two cells.
 * Source: Liu et al., "Swin Transformer", 2021, `WindowAttention`.
 */
export class WindowAttention {
  readonly #heads: number;
  readonly #window: number;
  readonly #bias: Parameter;
  readonly #projection: Linear;
  readonly #output: Linear;
  readonly #offsets: Int32Array;

  constructor(scope: Scope, width: number, heads: number, window: number) {
    this.#heads = heads;
    this.#window = window;
    const side = 2 * window - 1;
    this.#bias = scope.frozen().parameter('relative_position_bias_table', [side * side, heads], normal(0.02));
    this.#projection = new Linear(scope.at('qkv'), width, 3 * width, { weight: normal(0.02), bias: zeros });
    this.#output = new Linear(scope.at('proj'), width, width, { weight: normal(0.02), bias: zeros });
    const cells = window * window;
    this.#offsets = Int32Array.from({ length: cells * cells }, (_, k) => {
      const [a, b] = [Math.floor(k / cells), k % cells];
      const rowOffset = Math.floor(a / window) - Math.floor(b / window) + window - 1;
      return rowOffset * side + (a % window) - (b % window) + window - 1;
    });
  }

  /**
   * @param x `[batch, height, width, channels]`, height and width multiples of the window size
   * @param mask see `windowMask`; null without a shift
   * @returns the shape of x
   */
  apply(x: tf.Tensor4D, mask: tf.Tensor4D | null): tf.Tensor4D {
    const cells = this.#window * this.#window;
    const [query, key, value] = tf.split(this.#projection.apply(toWindows(x, this.#window)), 3, 2) as [
      tf.Tensor3D,
      tf.Tensor3D,
      tf.Tensor3D,
    ];
    const table = tf.gather(this.#bias.variable, tf.tensor1d(this.#offsets, 'int32')); // [window² · window², heads]
    const bias = tf.transpose(tf.reshape(table, [1, cells, cells, this.#heads]), [0, 3, 1, 2]); // [1, heads, window², window²]
    const scaled = tf.mul(query, (x.shape[3] / this.#heads) ** -0.5);
    const scores = tf.add(
      tf.matMul(splitHeads(scaled, this.#heads), splitHeads(key, this.#heads), false, true),
      mask ? tf.tile(tf.add(bias, mask), [x.shape[0], 1, 1, 1]) : bias,
    ); // [batch · windows, heads, window², window²]
    const attended = joinHeads(tf.matMul(tf.softmax(scores), splitHeads(value, this.#heads)) as tf.Tensor4D);
    return fromWindows(this.#output.apply(attended) as tf.Tensor3D, this.#window, x.shape);
  }
}
