import * as tf from '@tensorflow/tfjs-core';
import { shapeSize } from './shape-size.js';
import { releaseWebgpuBuffer, runBackendKernel, runProgram, webgpuZeros } from './webgpu-program.js';

type Inputs = Readonly<Record<string, tf.TensorInfo>>;

/**
 * WGSL that finds the cell and the bilinear weights of a sampling point. Its steps follow the official code, see `toCells` in
 * deformable-attention.as.ts: product and difference are rounded together, which works because the products of the upper and
 * of the lower half of a float's bits are exact. WGSL has `fma`, but permits it to round twice.
 */
const SAMPLING_POINT = `
struct SamplingPoint {
  inside: bool,
  weight: f32,
  height: i32,
  columns: i32,
  row: i32,
  column: i32,
  /** Bilinear weights of the right and of the lower corners, and 1 minus each. */
  fx: f32, fy: f32, gx: f32, gy: f32,
  /** Index in value of the level's first token, for this image and head. */
  start: i32,
}

/** Returns x. It prevents a compiler that assumes real arithmetic from dropping steps, since zero is not known to be 0. */
fn rounded(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ u32(uniforms.zero));
}

fn toCells(coordinate: f32, cells: i32) -> f32 {
  let scaled = rounded(rounded(2.0 * coordinate - 1.0) + 1.0);
  let high = bitcast<f32>(bitcast<u32>(scaled) & 0xfffff000u);
  let low = rounded(scaled - high);
  let half = 0.5 * f32(cells);
  return rounded(rounded(high * half - 0.5) + rounded(low * half));
}

/** Computes a sampling point from its index in [batch, queries, heads, levels, points]. */
fn samplingPoint(index: i32) -> SamplingPoint {
  var point: SamplingPoint;
  let level = index / uniforms.points % uniforms.levelCount;
  let query = index / (uniforms.points * uniforms.levelCount);
  let head = query % uniforms.heads;
  let image = query / (uniforms.heads * uniforms.queries);
  var token = image * uniforms.tokens;
  for (var l = 0; l < level; l++) { token += levels[2 * l] * levels[2 * l + 1]; }
  point.start = (token * uniforms.heads + head) * uniforms.width;
  point.height = levels[2 * level];
  point.columns = levels[2 * level + 1];
  let x = toCells(locations[2 * index], point.columns);
  let y = toCells(locations[2 * index + 1], point.height);
  point.inside = x > -1.0 && y > -1.0 && x < f32(point.columns) && y < f32(point.height);
  if (!point.inside) { return point; }
  point.weight = weights[index];
  point.column = i32(floor(x));
  point.row = i32(floor(y));
  point.fx = x - floor(x);
  point.fy = y - floor(y);
  point.gx = 1.0 - point.fx;
  point.gy = 1.0 - point.fy;
  return point;
}

/** Returns the index of a corner's first channel in value, or -1 outside the level. */
fn cornerAt(point: SamplingPoint, right: i32, below: i32) -> i32 {
  let column = point.column + right;
  let row = point.row + below;
  if (column < 0 || row < 0 || column >= point.columns || row >= point.height) { return -1; }
  return point.start + (row * point.columns + column) * uniforms.heads * uniforms.width;
}
`;

const FORWARD = `${SAMPLING_POINT}
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
    let point = samplingPoint(first + k);
    if (!point.inside) { continue; }
    sum += point.weight * (
      point.gy * (point.gx * valueOf(cornerAt(point, 0, 0), channel) + point.fx * valueOf(cornerAt(point, 1, 0), channel)) +
      point.fy * (point.gx * valueOf(cornerAt(point, 0, 1), channel) + point.fx * valueOf(cornerAt(point, 1, 1), channel)));
  }
  result[index] = sum;
}
`;

/** Gradients of each sampling point with respect to x, y and weight. */
const POINT_GRADIENT = `${SAMPLING_POINT}
/** Returns dy · value of one corner. */
fn cornerDot(at: i32, start: i32) -> f32 {
  var sum = 0.0;
  if (at >= 0) { for (var d = 0; d < uniforms.width; d++) { sum += dy[start + d] * value[at + d]; } }
  return sum;
}

fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  let point = samplingPoint(index);
  var gradients = vec3<f32>(0.0);
  if (point.inside) {
    let start = index / (uniforms.levelCount * uniforms.points) * uniforms.width;
    let d00 = cornerDot(cornerAt(point, 0, 0), start);
    let d01 = cornerDot(cornerAt(point, 1, 0), start);
    let d10 = cornerDot(cornerAt(point, 0, 1), start);
    let d11 = cornerDot(cornerAt(point, 1, 1), start);
    gradients = vec3<f32>(
      point.weight * f32(point.columns) * (point.gy * (d01 - d00) + point.fy * (d11 - d10)),
      point.weight * f32(point.height) * (point.gx * (d10 - d00) + point.fx * (d11 - d01)),
      point.gy * (point.gx * d00 + point.fx * d01) + point.fy * (point.gx * d10 + point.fx * d11));
  }
  result[3 * index] = gradients.x;
  result[3 * index + 1] = gradients.y;
  result[3 * index + 2] = gradients.z;
}
`;

/** Largest |x|. The bits of floats without sign are ordered like the floats, with infinity and NaN above all others. */
const MAX_ABS = `
fn main(index: i32) {
  if (index >= uniforms.threads) { return; }
  var largest = 0;
  for (var k = index; k < uniforms.count; k += uniforms.threads) { largest = max(largest, bitcast<i32>(x[k]) & 0x7fffffff); }
  atomicMax(&result[uniforms.at], largest);
}
`;

/** Number of threads that search for the largest |x|. */
const MAX_ABS_THREADS = 4096;

/**
 * Exponent of the power of two that scales sums of 64-bit integers: the largest at which a sum over all sampling points of an
 * image cannot overflow. `bounds` holds the largest |dy| and |weight|; a bilinear weight is at most 1.
 */
const SCALE = `
fn bound(at: i32) -> f32 { return bitcast<f32>(bounds[at]); }

fn exponent() -> i32 {
  // Each factor is below 2 to the power of its exponent.
  return clamp(62 - uniforms.sampleBits - frexp(bound(0)).exp - frexp(bound(1)).exp, -120, 120);
}
`;

/**
 * Adds the contribution of each sampling point and channel to value's gradient. Threads reach a cell in any order, which
 * changes sums of floats but not of integers. Sums are therefore 64-bit integers in two halves; adding to the lower half
 * yields the carry.
 */
const VALUE_GRADIENT = `${SAMPLING_POINT}${SCALE}
fn add(at: i32, addend: f32) {
  let size = abs(addend);
  var high = u32(size * 0x1p-32f);
  var low = u32(size - f32(high) * 0x1p32f);
  if (addend < 0.0) {
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
  let pointIndex = index / uniforms.width;
  let point = samplingPoint(pointIndex);
  if (!point.inside) { return; }
  let start = pointIndex / (uniforms.levelCount * uniforms.points) * uniforms.width;
  let scaled = ldexp(point.weight * dy[start + channel], exponent());
  for (var below = 0; below < 2; below++) {
    for (var right = 0; right < 2; right++) {
      let at = cornerAt(point, right, below);
      if (at >= 0) { add(at + channel, scaled * select(point.gx, point.fx, right == 1) * select(point.gy, point.fy, below == 1)); }
    }
  }
}
`;

/** Converts those sums to floats; NaN if dy or a weight is not finite. */
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
    pointCount: batch * queries * heads * levelCount * points,
    shape: [batch, queries, heads * width],
    width,
    sampleBits: Math.ceil(Math.log2(Math.max(1, queries * levelCount * points))) + 1,
    uniforms: { tokens, queries, heads, levelCount, points, width, zero: 0 },
  };
}

/** Returns the bits of the largest |x| of each array, `[arrays]` of type int32. */
function maxAbsBits(...arrays: readonly tf.TensorInfo[]): tf.TensorInfo {
  const bounds = webgpuZeros([arrays.length], 'int32');
  for (const [at, x] of arrays.entries())
    runProgram({
      name: 'largest absolute value',
      code: MAX_ABS,
      inputs: { x },
      uniforms: { count: shapeSize(x.shape), threads: MAX_ABS_THREADS, at },
      threads: MAX_ABS_THREADS,
      shape: bounds.shape,
      atomic: bounds,
    });
  return bounds;
}

/**
 * Registers multi-scale deformable attention and its gradient in WGSL. The same inputs give the same bits on the same device.
 */
export function registerWebgpuDeformableAttention(): void {
  tf.registerKernel({
    kernelName: 'RelflowDeformableAttention',
    backendName: 'webgpu',
    kernelFunc: ({ inputs }) => {
      const { value, levels, locations, weights } = inputs as unknown as Record<string, tf.TensorInfo>;
      const { pointCount, shape, uniforms } = sizesOf(inputs as unknown as Inputs);
      const count = shapeSize(shape);
      if (pointCount === 0 || shapeSize(value!.shape) === 0) return webgpuZeros(shape);
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
      const { pointCount, width, sampleBits, uniforms } = sizesOf(inputs as unknown as Inputs);
      if (pointCount === 0 || shapeSize(value!.shape) === 0)
        return [value!, locations!, weights!].map(({ shape }) => webgpuZeros(shape));
      const gradients = runProgram({
        name: 'gradient of deformable attention by sampling point',
        code: POINT_GRADIENT,
        inputs: { value: value!, levels: levels!, locations: locations!, weights: weights!, dy: dy! },
        uniforms: { ...uniforms, count: pointCount },
        threads: pointCount,
        shape: [pointCount, 3],
      });
      const part = (begin: number, size: number, shape: readonly number[]): tf.TensorInfo => ({
        ...runBackendKernel('Slice', { x: gradients }, { begin: [0, begin], size: [pointCount, size] }),
        shape: [...shape],
      });
      const [dLocations, dWeights] = [part(0, 2, locations!.shape), part(2, 1, weights!.shape)];
      const bounds = maxAbsBits(dy!, weights!);
      const sums = webgpuZeros([2 * shapeSize(value!.shape)], 'int32');
      runProgram({
        name: 'gradient of deformable attention by value',
        code: VALUE_GRADIENT,
        inputs: { levels: levels!, locations: locations!, weights: weights!, dy: dy!, bounds },
        uniforms: { ...uniforms, count: pointCount * width, sampleBits },
        threads: pointCount * width,
        shape: sums.shape,
        atomic: sums,
      });
      const dValue = runProgram({
        name: '64-bit sums to floats',
        code: TO_FLOATS,
        inputs: { sums, bounds },
        uniforms: { count: shapeSize(value!.shape), sampleBits },
        threads: shapeSize(value!.shape),
        shape: value!.shape,
      });
      releaseWebgpuBuffer(gradients, bounds, sums);
      return [dValue, dLocations, dWeights];
    },
  });
}
