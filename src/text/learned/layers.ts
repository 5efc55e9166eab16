import type { Heap } from './kernels/heap.js';

/** y = b + x · w. @param x `[rows, inputs]`; w `[inputs, outputs]`, outputs a multiple of 8; y `[rows, outputs]` */
export function linear(
  heap: Heap,
  rows: number,
  x: Float32Array,
  inputs: number,
  w: Float32Array,
  b: Float32Array | null,
  y: Float32Array,
  outputs: number,
): void {
  if (b) for (let i = 0; i < rows; i++) y.set(b, i * outputs);
  else y.fill(0, 0, rows * outputs);
  heap.multiply(rows, outputs, inputs, x, { row: inputs, column: 1 }, w, y);
}

/** Sets what is below zero to zero. */
export function relu(x: Float32Array, length: number): void {
  for (let i = 0; i < length; i++) if (x[i]! < 0) x[i] = 0;
}

/**
 * A gated sum along a caption in both directions, added to its input: what a token is told of its context. A recurrence
 * element by element, as in the Simple Recurrent Unit, with the softsign in place of the exponential, which is as good
 * here and much faster:
 *
 *     f = (1 + s(zf)) / 2     u = s(zu)     c(t) = c(t-1) + f (u - c(t-1))     s(z) = z / (1 + |z|)
 *
 * Source: Lei et al., "Simple Recurrent Units for Highly Parallelizable Recurrence", 2018.
 *
 * @param gates `[rows, 4 half]`: zf and zu forwards, then zf and zu backwards; f and u when it returns
 * @param c `[rows, 2 half]`: forwards, backwards; what is returned
 * @param start row of the caption's first token, in gates and c
 */
export function scan(gates: Float32Array, c: Float32Array, half: number, start: number, length: number): void {
  const width = 2 * half;
  for (let k = start * 2 * width; k < (start + length) * 2 * width; k++) {
    const z = gates[k]!;
    gates[k] = z / (1 + Math.abs(z));
  }
  for (const backwards of [false, true]) {
    for (let step = 0; step < length; step++) {
      const t = backwards ? start + length - 1 - step : start + step;
      const f = t * 2 * width + (backwards ? width : 0);
      const u = f + half;
      const at = t * width + (backwards ? half : 0);
      const before = backwards ? at + width : at - width;
      for (let k = 0; k < half; k++) {
        const gate = 0.5 + 0.5 * gates[f + k]!;
        gates[f + k] = gate;
        const last = step === 0 ? 0 : c[before + k]!;
        c[at + k] = last + gate * (gates[u + k]! - last);
      }
    }
  }
}

/** a += b, element by element. */
export function add(a: Float32Array, b: Float32Array, length: number): void {
  for (let k = 0; k < length; k++) a[k]! += b[k]!;
}
