import * as tf from '@tensorflow/tfjs-core';

/** A coordinate of a sampling point that lies so close to a border of two cells that rounding decides on its side. */
export interface BorderPoint {
  /** Which deformable attention of the forward pass, from 0: the encoder's layers, then the decoders'. */
  readonly attention: number;
  /** Where it stands in `locations`. */
  readonly index: number;
  /** Cells along its axis. */
  readonly cells: number;
  /** From the border, in cells: below it where negative. */
  readonly distance: number;
  readonly name: string;
}

/**
 * What counts as close, in cells. In the encoder's last layer coordinates are off from a run in double precision by about
 * 1e-6, PyTorch's own as much as those of any backend.
 */
const CLOSE = 2e-6;

const KERNELS = ['RelflowDeformableAttention', 'RelflowDeformableAttentionGradient'] as const;

const { fround, floor, round, abs } = Math;

/** The kernels' own steps, see `cellsAt` in src/model/backends/kernels/deformable-attention.as.ts. */
const cellsAt = (location: number, cells: number) => fround(fround(fround(2 * location - 1) + 1) * (cells / 2) - 0.5);

/**
 * Stands before the fused deformable attention of the backend that runs: lists the points at borders, and moves one of them
 * to the other side, by as few roundings of its location as do, in the forward and the backward pass.
 */
export class BorderPoints {
  /** Those of the last pass in which none was moved, the closest first. */
  points: BorderPoint[] = [];
  moved: BorderPoint | undefined;
  #count = 0;
  readonly #attentions = new WeakMap<object, number>();

  constructor() {
    const backendName = tf.getBackend();
    for (const kernelName of KERNELS) {
      const kernel = tf.getKernel(kernelName, backendName);
      if (!kernel) throw new Error(`--borders: backend ${backendName} has no fused deformable attention`);
      tf.unregisterKernel(kernelName, backendName);
      tf.registerKernel({ ...kernel, kernelFunc: (call) => this.#run(kernel, call) });
    }
  }

  /** Before each forward pass. */
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
      const positions = sizes.map((cells, axis) => cellsAt(locations[k + axis]!, cells));
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

/** The locations with that point on the other side of its border. */
function moveAcross(locations: Float32Array, { index, cells }: BorderPoint): Float32Array {
  const values = locations.slice();
  const bits = new Int32Array(values.buffer);
  const side = floor(cellsAt(values[index]!, cells));
  const up = cellsAt(values[index]!, cells) - side > 0.5;
  while (floor(cellsAt(values[index]!, cells)) === side) bits[index]! += values[index]! > 0 === up ? 1 : -1;
  return values;
}
