import * as tf from '@tensorflow/tfjs-core';
import { Linear } from '../layers/linear.js';
import { joinHeads, splitHeads } from '../ops/attention.js';
import { normal, type Parameter, type Scope, zeros } from '../parameter-scope.js';

/** What is added between cells that only the shift brought together. */
const MASKED = -100;

/** Zeros to the right and below, up to whole windows. */
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

/** Moves a map up and left by `shift` cells; what leaves comes in at the other side. */
export function roll(x: tf.Tensor4D, shift: number): tf.Tensor4D {
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

/** `[batch, height, width, channels]` → `[batch · windows, window², channels]` */
function toWindows(x: tf.Tensor, window: number): tf.Tensor3D {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const cut = tf.reshape(x, [batch, height / window, window, width / window, window, channels]);
  return tf.reshape(tf.transpose(cut, [0, 1, 3, 2, 4, 5]), [-1, window * window, channels]);
}

function fromWindows(x: tf.Tensor3D, window: number, [batch, height, width, channels]: number[]): tf.Tensor4D {
  const cut = tf.reshape(x, [batch!, height! / window, width! / window, window, window, channels!]);
  return tf.reshape(tf.transpose(cut, [0, 1, 3, 2, 4, 5]), [batch!, height!, width!, channels!]);
}

/**
 * After the shift a window may hold cells of up to four parts of the map, which must not see each other.
 * @returns added to scores, `[windows, 1, window², window²]`
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

/** Self-attention inside of windows, with a bias for each way in which two cells lie to each other. */
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
   * @param x `[batch, height, width, channels]`, whole windows
   * @param mask see `windowMask`
   * @returns the shape of x
   */
  apply(x: tf.Tensor4D, mask: tf.Tensor4D | null): tf.Tensor4D {
    const cells = this.#window * this.#window;
    const [query, key, value] = tf.split(this.#projection.apply(toWindows(x, this.#window)), 3, 2) as [
      tf.Tensor3D,
      tf.Tensor3D,
      tf.Tensor3D,
    ];
    const table = tf.gather(this.#bias.variable, tf.tensor1d(this.#offsets, 'int32'));
    const bias = tf.transpose(tf.reshape(table, [1, cells, cells, this.#heads]), [0, 3, 1, 2]);
    const scaled = tf.mul(query, (x.shape[3] / this.#heads) ** -0.5);
    const scores = tf.add(
      tf.matMul(splitHeads(scaled, this.#heads), splitHeads(key, this.#heads), false, true),
      mask ? tf.tile(tf.add(bias, mask), [x.shape[0], 1, 1, 1]) : bias,
    );
    const attended = joinHeads(tf.matMul(tf.softmax(scores), splitHeads(value, this.#heads)) as tf.Tensor4D);
    return fromWindows(this.#output.apply(attended) as tf.Tensor3D, this.#window, x.shape);
  }
}
