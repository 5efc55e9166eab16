import * as tf from '@tensorflow/tfjs-core';
import { product, release, runBackendKernel, runProgram, zeros } from './webgpu-program.js';

type Inputs = Readonly<Record<string, tf.TensorInfo>>;

/**
 * Where a read of `index` lies, and what its corners weigh. The cell is found in the steps of the reference, see `cellsAt`
 * in deformable-attention.as.ts: product and difference are rounded at once, since the products of the upper and the lower
 * half of a number's bits are exact. WGSL has `fma`, but lets it round twice.
 */
const SAMPLE = `
struct Read {
  inside: bool,
  weight: f32,
  height: i32,
  columns: i32,
  row: i32,
  column: i32,
  /** Shares of the lower right, and what is left of 1. */
  fx: f32, fy: f32, gx: f32, gy: f32,
  /** Token 0 of the level, in value's numbers, with the image and the head. */
  start: i32,
}

/** A compiler that takes numbers for real ones would leave out steps; it can't see that nothing happens here. */
fn rounded(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ u32(uniforms.nothing));
}

fn cellsAt(place: f32, cells: i32) -> f32 {
  let sides = rounded(rounded(2.0 * place - 1.0) + 1.0);
  let high = bitcast<f32>(bitcast<u32>(sides) & 0xfffff000u);
  let low = rounded(sides - high);
  let half = 0.5 * f32(cells);
  return rounded(rounded(high * half - 0.5) + rounded(low * half));
}

/** The read's number counts through [batch, queries, heads, levels, points]. */
fn readAt(number: i32) -> Read {
  var read: Read;
  let level = number / uniforms.points % uniforms.levelCount;
  let asked = number / (uniforms.points * uniforms.levelCount);
  let head = asked % uniforms.heads;
  let image = asked / (uniforms.heads * uniforms.queries);
  var token = image * uniforms.tokens;
  for (var l = 0; l < level; l++) { token += levels[2 * l] * levels[2 * l + 1]; }
  read.start = (token * uniforms.heads + head) * uniforms.width;
  read.height = levels[2 * level];
  read.columns = levels[2 * level + 1];
  let x = cellsAt(locations[2 * number], read.columns);
  let y = cellsAt(locations[2 * number + 1], read.height);
  read.inside = x > -1.0 && y > -1.0 && x < f32(read.columns) && y < f32(read.height);
  if (!read.inside) { return read; }
  read.weight = weights[number];
  read.column = i32(floor(x));
  read.row = i32(floor(y));
  read.fx = x - floor(x);
  read.fy = y - floor(y);
  read.gx = 1.0 - read.fx;
  read.gy = 1.0 - read.fy;
  return read;
}

/** Where a corner's numbers begin in value, or -1 outside of the level. */
fn cornerAt(read: Read, right: i32, below: i32) -> i32 {
  let column = read.column + right;
  let row = read.row + below;
  if (column < 0 || row < 0 || column >= read.columns || row >= read.height) { return -1; }
  return read.start + (row * read.columns + column) * uniforms.heads * uniforms.width;
}
`;

const FORWARD = `${SAMPLE}
fn valueOf(at: i32, channel: i32) -> f32 {
  if (at < 0) { return 0.0; }
  return value[at + channel];
}

fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let channel = index % uniforms.width;
  let first = index / uniforms.width * uniforms.levelCount * uniforms.points;
  var sum = 0.0;
  for (var k = 0; k < uniforms.levelCount * uniforms.points; k++) {
    let read = readAt(first + k);
    if (!read.inside) { continue; }
    sum += read.weight * (
      read.gy * (read.gx * valueOf(cornerAt(read, 0, 0), channel) + read.fx * valueOf(cornerAt(read, 1, 0), channel)) +
      read.fy * (read.gx * valueOf(cornerAt(read, 0, 1), channel) + read.fx * valueOf(cornerAt(read, 1, 1), channel)));
  }
  result[index] = sum;
}
`;

/** Of each read the slopes of x, y and weight. */
const SAMPLE_GRADIENT = `${SAMPLE}
fn along(at: i32, start: i32) -> f32 {
  var sum = 0.0;
  if (at >= 0) { for (var d = 0; d < uniforms.width; d++) { sum += dy[start + d] * value[at + d]; } }
  return sum;
}

fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let read = readAt(index);
  var slopes = vec3<f32>(0.0);
  if (read.inside) {
    let start = index / (uniforms.levelCount * uniforms.points) * uniforms.width;
    let d00 = along(cornerAt(read, 0, 0), start);
    let d01 = along(cornerAt(read, 1, 0), start);
    let d10 = along(cornerAt(read, 0, 1), start);
    let d11 = along(cornerAt(read, 1, 1), start);
    slopes = vec3<f32>(
      read.weight * f32(read.columns) * (read.gy * (d01 - d00) + read.fy * (d11 - d10)),
      read.weight * f32(read.height) * (read.gx * (d10 - d00) + read.fx * (d11 - d01)),
      read.gy * (read.gx * d00 + read.fx * d01) + read.fy * (read.gx * d10 + read.fx * d11));
  }
  result[3 * index] = slopes.x;
  result[3 * index + 1] = slopes.y;
  result[3 * index + 2] = slopes.z;
}
`;

/**
 * The largest |x|. Bits of numbers without their sign are ordered as the numbers are, infinity and what is no number above
 * all others.
 */
const MAX_ABS = `
fn main(index: i32) {
  if (index >= uniforms.steps) { return; }
  var most = 0;
  for (var k = index; k < uniforms.count; k += uniforms.steps) { most = max(most, bitcast<i32>(x[k]) & 0x7fffffff); }
  atomicMax(&result[uniforms.at], most);
}
`;

/** How many threads look for the largest one. */
const MAX_ABS_THREADS = 4096;

/**
 * The scale of the sums of 64-bit integers, a power of two: as large as can be, so that no sum of all reads of an image
 * overflows. `bounds` are the largest |dy| and |weight|; a bilinear share is 1 at most.
 */
const SCALE = `
fn bound(at: i32) -> f32 { return bitcast<f32>(bounds[at]); }

fn exponent() -> i32 {
  // Each factor is below 2 to its exponent.
  return clamp(62 - uniforms.readBits - frexp(bound(0)).exp - frexp(bound(1)).exp, -120, 120);
}
`;

/**
 * The share of each read and channel in value's gradient. Threads meet at a cell in any order, and sums of floating-point
 * numbers depend on it; those of integers do not. So sums are of 64 bits, in two halves: adding to the lower one tells of
 * the carry.
 */
const VALUE_GRADIENT = `${SAMPLE}${SCALE}
fn add(at: i32, share: f32) {
  let size = abs(share);
  var high = u32(size * 0x1p-32f);
  var low = u32(size - f32(high) * 0x1p32f);
  if (share < 0.0) {
    low = ~low + 1u;
    high = ~high + select(0u, 1u, low == 0u);
  }
  let before = bitcast<u32>(atomicAdd(&result[2 * at], bitcast<i32>(low)));
  let carry = select(0u, 1u, before + low < low);
  if (high + carry != 0u) { atomicAdd(&result[2 * at + 1], bitcast<i32>(high + carry)); }
}

fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let channel = index % uniforms.width;
  let number = index / uniforms.width;
  let read = readAt(number);
  if (!read.inside) { return; }
  let start = number / (uniforms.levelCount * uniforms.points) * uniforms.width;
  let slope = ldexp(read.weight * dy[start + channel], exponent());
  for (var below = 0; below < 2; below++) {
    for (var right = 0; right < 2; right++) {
      let at = cornerAt(read, right, below);
      if (at >= 0) { add(at + channel, slope * select(read.gx, read.fx, right == 1) * select(read.gy, read.fy, below == 1)); }
    }
  }
}
`;

/** Those sums as numbers again; not a number where dy or a weight is none. */
const TO_FLOATS = `${SCALE}
fn isFinite(bits: i32) -> bool { return bits < 0x7f800000; }

fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  var low = bitcast<u32>(sums[2 * index]);
  var high = bitcast<u32>(sums[2 * index + 1]);
  let negative = high >= 0x80000000u;
  if (negative) {
    low = ~low + 1u;
    high = ~high + select(0u, 1u, low == 0u);
  }
  let size = ldexp(f32(high) * 0x1p32f + f32(low), -exponent());
  result[index] = select(uniforms.NAN, select(size, -size, negative), isFinite(bounds[0]) && isFinite(bounds[1]));
}
`;

function sizesOf({ value, weights }: Inputs) {
  const [batch, tokens, heads, width] = value!.shape as [number, number, number, number];
  const [, queries, , levelCount, points] = weights!.shape as [number, number, number, number, number];
  return {
    reads: batch * queries * heads * levelCount * points,
    shape: [batch, queries, heads * width],
    width,
    readBits: Math.ceil(Math.log2(Math.max(1, queries * levelCount * points))) + 1,
    uniforms: { tokens, queries, heads, levelCount, points, width, nothing: 0 },
  };
}

/** The bits of the largest |x| of each array. */
function maxAbsBits(...arrays: readonly tf.TensorInfo[]): tf.TensorInfo {
  const bounds = zeros([arrays.length], 'int32');
  for (const [at, x] of arrays.entries())
    runProgram({
      name: 'largest of all',
      code: MAX_ABS,
      inputs: { x },
      uniforms: { count: product(x.shape), steps: MAX_ABS_THREADS, at },
      threads: MAX_ABS_THREADS,
      shape: bounds.shape,
      atomic: bounds,
    });
  return bounds;
}

/** Multi-scale deformable attention in WGSL, forwards and backwards; a GPU gives the same bits each time. */
export function registerWebgpuDeformableAttention(): void {
  tf.registerKernel({
    kernelName: 'RelflowDeformableAttention',
    backendName: 'webgpu',
    kernelFunc: ({ inputs }) => {
      const { value, levels, locations, weights } = inputs as unknown as Record<string, tf.TensorInfo>;
      const { reads, shape, uniforms } = sizesOf(inputs as unknown as Inputs);
      const count = product(shape);
      if (reads === 0 || product(value!.shape) === 0) return zeros(shape);
      return runProgram({
        name: 'deformable attention',
        code: FORWARD,
        inputs: { value: value!, levels: levels!, locations: locations!, weights: weights! },
        uniforms: { ...uniforms, count },
        threads: count,
        shape,
      });
    },
  });
  tf.registerKernel({
    kernelName: 'RelflowDeformableAttentionGradient',
    backendName: 'webgpu',
    kernelFunc: ({ inputs }) => {
      const { value, levels, locations, weights, dy } = inputs as unknown as Record<string, tf.TensorInfo>;
      const { reads, width, readBits, uniforms } = sizesOf(inputs as unknown as Inputs);
      if (reads === 0 || product(value!.shape) === 0)
        return [value!, locations!, weights!].map(({ shape }) => zeros(shape));
      const slopes = runProgram({
        name: 'gradient of deformable attention by its reads',
        code: SAMPLE_GRADIENT,
        inputs: { value: value!, levels: levels!, locations: locations!, weights: weights!, dy: dy! },
        uniforms: { ...uniforms, count: reads },
        threads: reads,
        shape: [reads, 3],
      });
      const part = (begin: number, size: number, shape: readonly number[]): tf.TensorInfo => ({
        ...runBackendKernel('Slice', { x: slopes }, { begin: [0, begin], size: [reads, size] }),
        shape: [...shape],
      });
      const [dLocations, dWeights] = [part(0, 2, locations!.shape), part(2, 1, weights!.shape)];
      const bounds = maxAbsBits(dy!, weights!);
      const sums = zeros([2 * product(value!.shape)], 'int32');
      runProgram({
        name: 'gradient of deformable attention by its value',
        code: VALUE_GRADIENT,
        inputs: { levels: levels!, locations: locations!, weights: weights!, dy: dy!, bounds },
        uniforms: { ...uniforms, count: reads * width, readBits },
        threads: reads * width,
        shape: sums.shape,
        atomic: sums,
      });
      const dValue = runProgram({
        name: 'sums of 64 bits as numbers',
        code: TO_FLOATS,
        inputs: { sums, bounds },
        uniforms: { count: product(value!.shape), readBits },
        threads: product(value!.shape),
        shape: value!.shape,
      });
      release(slopes, bounds, sums);
      return [dValue, dLocations, dWeights];
    },
  });
}
