import * as tf from '@tensorflow/tfjs-core';

/** Coordinate of a sampling point that is so close to the border of two cells that rounding determines its cell. */
export interface BorderPoint {
  /** Index of the deformable attention in the forward pass: first the encoder's layers, then the decoders'. */
  readonly attention: number;
  /** Index of the coordinate in `locations`. */
  readonly index: number;
  /** Number of cells along its axis. */
  readonly cells: number;
  /** Distance from the border in cells, negative below it. */
  readonly distance: number;
  /** Description of the point for reports. */
  readonly name: string;
}

/**
 * Distance in cells below which a point is listed. In the last encoder layer, coordinates differ from a computation in double
 * precision by about 1e-6, in PyTorch as on every backend.
 */
const CLOSE = 2e-6;

const KERNELS = ['RelflowDeformableAttention', 'RelflowDeformableAttentionGradient'] as const;

const { fround, floor, round, abs } = Math;

/** The same steps as in the kernels, see `toCells` in src/model/backends/kernels/deformable-attention.as.ts. */
const toCells = (location: number, cells: number) => fround(fround(fround(2 * location - 1) + 1) * (cells / 2) - 0.5);

/**
 * Wraps the deformable attention kernels of the active backend: lists the points at borders, and moves one of them to the
 * other side in the forward and the backward pass, by the smallest number of roundings that suffices.
 */
export class BorderPoints {
  /** Points of the last pass in which none was moved, the closest first. */
  points: BorderPoint[] = [];
  /** Point to move in the next passes. */
  moved: BorderPoint | undefined;
  #count = 0;
  readonly #attentions = new WeakMap<object, number>();

  constructor() {
    const backendName = tf.getBackend();
    for (const kernelName of KERNELS) {
      const kernel = tf.getKernel(kernelName, backendName);
      if (!kernel)
        throw new Error(`--borders: backend ${backendName} has no kernel ${kernelName}, expected wasm or tensorflow`);
      tf.unregisterKernel(kernelName, backendName);
      tf.registerKernel({ ...kernel, kernelFunc: (call) => this.#run(kernel, call) });
    }
  }

  /** Must be called before each forward pass. */
  start(): void {
    this.#count = 0;
    if (!this.moved) this.points = [];
  }

  #run(kernel: tf.KernelConfig, call: Parameters<tf.KernelFunc>[0]): ReturnType<tf.KernelFunc> {
    const locations = call.inputs['locations'] as tf.Tensor;
    if (kernel.kernelName === KERNELS[0]) this.#attentions.set(locations.dataId, this.#count++);
    const attention = this.#attentions.get(locations.dataId)!;
    const values = () => locations.dataSync<'float32'>();
    if (!this.moved && kernel.kernelName === KERNELS[0])
      this.#list(attention, locations.shape, values(), (call.inputs['levels'] as tf.Tensor).dataSync<'int32'>());
    if (this.moved?.attention !== attention) return kernel.kernelFunc(call);
    const moved = tf.tensor(moveAcross(values(), this.moved), locations.shape);
    const result = kernel.kernelFunc({ ...call, inputs: { ...call.inputs, locations: moved } });
    moved.dispose();
    return result;
  }

  #list(attention: number, shape: readonly number[], locations: Float32Array, levels: Int32Array): void {
    const [, queries, heads, levelCount, points] = shape as [number, number, number, number, number, number];
    for (let k = 0; k < locations.length; k += 2) {
      const level = floor(k / 2 / points) % levelCount;
      const sizes = [levels[2 * level + 1]!, levels[2 * level]!];
      const positions = sizes.map((cells, axis) => toCells(locations[k + axis]!, cells));
      if (positions.some((at, axis) => !(at > -1 - CLOSE && at < sizes[axis]! + CLOSE))) continue;
      for (const [axis, at] of positions.entries()) {
        const distance = at - round(at);
        if (abs(distance) >= CLOSE) continue;
        const sample = floor(k / 2 / points / levelCount);
        const query = floor(sample / heads);
        const name = `attention ${attention}, image ${floor(query / queries)}, query ${query % queries}, head ${
          sample % heads
        }, level ${level}, point ${(k / 2) % points}, ${'xy'[axis]} = ${at.toFixed(8)}`;
        this.points.push({ attention, index: k + axis, cells: sizes[axis]!, distance, name });
      }
    }
    this.points.sort((a, b) => abs(a.distance) - abs(b.distance));
  }
}

/** Returns the locations with one point moved to the other side of its border. */
function moveAcross(locations: Float32Array, { index, cells }: BorderPoint): Float32Array {
  const values = locations.slice();
  const bits = new Int32Array(values.buffer);
  const side = floor(toCells(values[index]!, cells));
  const up = toCells(values[index]!, cells) - side > 0.5;
  while (floor(toCells(values[index]!, cells)) === side) bits[index]! += values[index]! > 0 === up ? 1 : -1;
  return values;
}
