// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { exp4 } from './exp4.as';
import { Pair } from './structs.as';

const one: v128 = f32x4.splat(1);
const half: v128 = f32x4.splat(0.5);
const zero: v128 = f32x4.splat(0);

/**
 * A gated sum in both directions along the rows of one caption: see `ParserKernels.scan`.
 * @param gates `[rows, 4 width]`; c `[rows, 2 width]`; width a multiple of 4
 */
export function scan(gates: usize, c: usize, width: i32, rows: i32): void {
  const bytes = (<usize>width) << 2;
  const gateRow = bytes << 2;
  const stateRow = bytes << 1;
  const end = gates + (<usize>rows) * gateRow;
  for (let at = gates; at < end; at += 16) {
    const z = v128.load(at);
    v128.store(at, f32x4.div(z, f32x4.add(one, f32x4.abs(z))));
  }
  for (let k: usize = 0; k < bytes; k += 16) {
    let state = zero;
    let gate = gates + k;
    let to = c + k;
    for (let t = 0; t < rows; t++) {
      const f = f32x4.add(half, f32x4.mul(half, v128.load(gate)));
      v128.store(gate, f);
      state = f32x4.add(state, f32x4.mul(f, f32x4.sub(v128.load(gate + bytes), state)));
      v128.store(to, state);
      gate += gateRow;
      to += stateRow;
    }
    state = zero;
    gate = end - gateRow + stateRow + k;
    to = c + (<usize>(rows - 1)) * stateRow + bytes + k;
    for (let t = 0; t < rows; t++) {
      const f = f32x4.add(half, f32x4.mul(half, v128.load(gate)));
      v128.store(gate, f);
      state = f32x4.add(state, f32x4.mul(f, f32x4.sub(v128.load(gate + bytes), state)));
      v128.store(to, state);
      gate -= gateRow;
      to -= stateRow;
    }
  }
}

/** a += b. @param length a multiple of 4 */
export function add(a: usize, b: usize, length: i32): void {
  const end = a + ((<usize>length) << 2);
  for (; a < end; a += 16, b += 16) v128.store(a, f32x4.add(v128.load(a), v128.load(b)));
}

/** a = max(a + b, 0). @param length a multiple of 4 */
export function addRelu(a: usize, b: usize, length: i32): void {
  const end = a + ((<usize>length) << 2);
  for (; a < end; a += 16, b += 16)
    v128.store(a, f32x4.max(f32x4.add(v128.load(a), v128.load(b)), zero));
}

/** a = max(a, 0). @param length a multiple of 4 */
export function relu(a: usize, length: i32): void {
  const end = a + ((<usize>length) << 2);
  for (; a < end; a += 16) v128.store(a, f32x4.max(v128.load(a), zero));
}

/** Returns Σ a b over `length` elements, a multiple of 4. */
export function dot(a: usize, b: usize, length: i32): f32 {
  const end = a + ((<usize>length) << 2);
  let sum = zero;
  for (; a < end; a += 16, b += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(a), v128.load(b)));
  return (
    f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3))
  );
}

/**
 * Sums each row's window, a bias and the row of a table, and applies max(…, 0).
 * @param wordIds `[rows]` i32: the word of each row
 * @param contributions `[words, window, width]`: what a word adds to a row, by its position in the row's window
 * @param bias `[width]`; table `[flags, width]`; flags `[rows]` i32
 */
export function sumWindows(
  rows: i32,
  width: i32,
  wordIds: usize,
  contributions: usize,
  window: i32,
  bias: usize,
  table: usize,
  flags: usize,
  to: usize,
): void {
  const bytes = (<usize>width) << 2;
  const radius = window >> 1;
  for (let t = 0; t < rows; t++, to += bytes) {
    const flag = table + <usize>load<u32>(flags + ((<usize>t) << 2)) * bytes;
    for (let k: usize = 0; k < bytes; k += 16)
      v128.store(to + k, f32x4.add(v128.load(bias + k), v128.load(flag + k)));
    const last = min(window, rows - t + radius);
    for (let position = max(0, radius - t); position < last; position++) {
      const word = load<u32>(wordIds + ((<usize>(t + position - radius)) << 2));
      const from = contributions + (<usize>word * <usize>window + <usize>position) * bytes;
      for (let k: usize = 0; k < bytes; k += 16)
        v128.store(to + k, f32x4.add(v128.load(to + k), v128.load(from + k)));
    }
    for (let k: usize = 0; k < bytes; k += 16) v128.store(to + k, f32x4.max(v128.load(to + k), zero));
  }
}

/**
 * Computes the input row of each pair of mentions:
 * max(bias + first + second + product of both + maximum between them + distances, 0).
 * @param pairs `Pair[count]`
 * @param mentions `[mentions, 4 width]`: each mention's terms as first and as second, and its factors as first and as second
 * @param empty the maximum between two adjacent mentions, and the least that any other may be
 * @param pairMax `[count, width]`: set to the maximum between the mentions
 */
export function pairInputs(
  count: i32,
  width: i32,
  pairs: usize,
  mentions: usize,
  between: usize,
  distances: usize,
  bias: usize,
  empty: f32,
  pairMax: usize,
  to: usize,
): void {
  const bytes = (<usize>width) << 2;
  const floor = f32x4.splat(empty);
  for (let n = 0; n < count; n++, pairs += offsetof<Pair>(), pairMax += bytes, to += bytes) {
    const pair = changetype<Pair>(pairs);
    const first = mentions + <usize>pair.first * 4 * bytes;
    const second = mentions + <usize>pair.second * 4 * bytes + bytes;
    const start = between + <usize>pair.from * bytes;
    const end = between + <usize>pair.to * bytes;
    const distance = distances + <usize>pair.distance * bytes;
    const steps = distances + <usize>pair.steps * bytes;
    for (let k: usize = 0; k < bytes; k += 16) {
      let largest = floor;
      for (let at = start + k; at < end; at += bytes) largest = f32x4.max(largest, v128.load(at));
      v128.store(pairMax + k, largest);
      const ends = f32x4.add(v128.load(first + k), v128.load(second + k));
      const product = f32x4.mul(v128.load(first + 2 * bytes + k), v128.load(second + 2 * bytes + k));
      const apart = f32x4.add(v128.load(distance + k), v128.load(steps + k));
      const rest = f32x4.add(v128.load(bias + k), largest);
      v128.store(to + k, f32x4.max(f32x4.add(f32x4.add(ends, product), f32x4.add(apart, rest)), zero));
    }
  }
}

/**
 * Finds the column of each row's largest score and its probability in the row's softmax.
 * @param width a multiple of 4; columns `[rows]` i32; probabilities `[rows]`
 */
export function argmaxRows(rows: i32, width: i32, scores: usize, columns: usize, probabilities: usize): void {
  const bytes = (<usize>width) << 2;
  for (let n = 0; n < rows; n++, scores += bytes, columns += 4, probabilities += 4) {
    let lanes = v128.load(scores);
    for (let k: usize = 16; k < bytes; k += 16) lanes = f32x4.max(lanes, v128.load(scores + k));
    const largest = max(
      max(f32x4.extract_lane(lanes, 0), f32x4.extract_lane(lanes, 1)),
      max(f32x4.extract_lane(lanes, 2), f32x4.extract_lane(lanes, 3)),
    );
    const top = f32x4.splat(largest);
    let sum = zero;
    for (let k: usize = 0; k < bytes; k += 16) sum = f32x4.add(sum, exp4(f32x4.sub(v128.load(scores + k), top)));
    let column = 0;
    while (load<f32>(scores + ((<usize>column) << 2)) != largest) column++;
    store<i32>(columns, column);
    store<f32>(
      probabilities,
      <f32>1 /
        (f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3))),
    );
  }
}

/**
 * to = x + the mean of a table's rows weighted by the softmax of each row's scores: a soft embedding of the row's tag.
 * @param scores `[rows, 8]` with `count` used columns; weights `[rows, 8]`: set to the softmax
 * @param x, to `[rows, width]`; table `[count, width]`
 */
export function addSoftEmbeddings(
  rows: i32,
  width: i32,
  count: i32,
  scores: usize,
  weights: usize,
  table: usize,
  x: usize,
  to: usize,
): void {
  const bytes = (<usize>width) << 2;
  for (let n = 0; n < rows; n++, scores += 32, weights += 32, x += bytes, to += bytes) {
    let largest = load<f32>(scores);
    for (let c = 1; c < count; c++) largest = max(largest, load<f32>(scores + ((<usize>c) << 2)));
    const top = f32x4.splat(largest);
    v128.store(weights, exp4(f32x4.sub(v128.load(scores), top)));
    v128.store(weights, exp4(f32x4.sub(v128.load(scores, 16), top)), 16);
    let sum: f32 = 0;
    for (let c = 0; c < count; c++) sum += load<f32>(weights + ((<usize>c) << 2));
    for (let c = 0; c < 8; c++) {
      const at = weights + ((<usize>c) << 2);
      store<f32>(at, c < count ? load<f32>(at) / sum : 0);
    }
    for (let k: usize = 0; k < bytes; k += 16) {
      let y = v128.load(x + k);
      let row = table + k;
      for (let c = 0; c < count; c++, row += bytes)
        y = f32x4.add(y, f32x4.mul(v128.load32_splat(weights + ((<usize>c) << 2)), v128.load(row)));
      v128.store(to + k, y);
    }
  }
}
