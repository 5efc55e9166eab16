import * as tf from '@tensorflow/tfjs-core';
import { KernelPool } from './kernels/kernel-pool.js';
import { defaultThreads } from './start-wasm-backend.js';

const PAGE = 65_536;
/** The kernels' own constants lie below. */
const FIRST = PAGE;
const MOST_PAGES = 65_536;

const product = (shape: readonly number[]) => shape.reduce((all, size) => all * size, 1);

/** The types of Node leave out that a memory can be shared and grow. */
type GrowingMemory = WebAssembly.Memory & { grow(pages: number): number };

function sharedMemory(): GrowingMemory {
  const description = { initial: 2, maximum: MOST_PAGES, shared: true };
  return new WebAssembly.Memory(description) as GrowingMemory;
}

/** relflow's kernels on a memory of their own: arrays are copied in and out, which is far cheaper than gathers. */
class KernelDesk {
  readonly #memory = sharedMemory();
  readonly #pool: KernelPool;
  #end = FIRST;

  constructor(threads: number) {
    this.#pool = new KernelPool(this.#memory, threads);
  }

  /** Forgets all arrays. */
  clear(): void {
    this.#end = FIRST;
  }

  /** @returns the address of room for `count` numbers of 4 bytes */
  room(count: number): number {
    const at = this.#end;
    this.#end = at + 16 * Math.ceil(count / 4);
    const missing = Math.ceil((this.#end - this.#memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.#memory.grow(missing);
    return at;
  }

  put(tensor: tf.Tensor): number {
    const at = this.room(tensor.size);
    const values = tensor.dataSync();
    if (tensor.dtype === 'int32') new Int32Array(this.#memory.buffer, at, tensor.size).set(values);
    else new Float32Array(this.#memory.buffer, at, tensor.size).set(values);
    return at;
  }

  zeros(count: number): number {
    const at = this.room(count);
    new Float32Array(this.#memory.buffer, at, count).fill(0);
    return at;
  }

  take(at: number, shape: readonly number[]): tf.Tensor {
    // A copy, since the memory is shared and soon somebody else's.
    return tf.tensor(new Float32Array(this.#memory.buffer, at, product(shape)).slice(), [...shape]);
  }

  run(...call: Parameters<KernelPool['run']>): void {
    this.#pool.run(...call);
  }
}

/**
 * Gives TensorFlow's library on a processor the fused deformable attention that it lacks. On a GPU arrays would travel to
 * the processor and back; there it gathers.
 */
export function installNativeKernels(): void {
  if (tf.getKernel('RelflowDeformableAttention', 'tensorflow')) return;
  let made: KernelDesk | undefined;
  const desk = () => {
    made ??= new KernelDesk(defaultThreads());
    made.clear();
    return made;
  };
  const sizesOf = ({ value, weights }: Readonly<Record<string, tf.Tensor>>) => {
    const [batch, tokens, heads, width] = value!.shape as [number, number, number, number];
    const [, queries, , levels, points] = weights!.shape as [number, number, number, number, number];
    return {
      sizes: [batch, tokens, queries, heads, levels, points, width] as const,
      work: batch * queries * heads * levels * points * width,
      shape: [batch, queries, heads * width],
    };
  };
  tf.registerKernel({
    kernelName: 'RelflowDeformableAttention',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => {
      const given = inputs as unknown as Record<string, tf.Tensor>;
      const { sizes, work, shape } = sizesOf(given);
      const at = desk();
      const from = ['value', 'levels', 'locations', 'weights'].map((name) => at.put(given[name]!));
      const to = at.room(product(shape));
      at.run('deformableAttention', 4 * work, ...from, to, ...sizes);
      return at.take(to, shape);
    },
  });
  tf.registerKernel({
    kernelName: 'RelflowDeformableAttentionGradient',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => {
      const given = inputs as unknown as Record<string, tf.Tensor>;
      const { sizes, work } = sizesOf(given);
      const at = desk();
      const from = ['value', 'levels', 'locations', 'weights', 'dy'].map((name) => at.put(given[name]!));
      const { value, locations, weights } = given as Record<'value' | 'locations' | 'weights', tf.Tensor>;
      const to = [at.zeros(value.size), at.room(locations.size), at.room(weights.size)] as const;
      at.run('deformableAttentionGradient', 12 * work, ...from, ...to, ...sizes);
      return [at.take(to[0], value.shape), at.take(to[1], locations.shape), at.take(to[2], weights.shape)];
    },
  });
}
