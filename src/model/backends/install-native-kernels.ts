import * as tf from '@tensorflow/tfjs-core';
import { KernelPool } from './kernels/kernel-pool.js';
import { defaultThreads } from './start-wasm-backend.js';

const PAGE = 65_536;
/** The kernels' own constants lie below. */
const FIRST_ADDRESS = PAGE;
const MAX_PAGES = 65_536;

const product = (shape: readonly number[]) => shape.reduce((all, size) => all * size, 1);

/** The types of Node leave out that a memory can be shared and grow. */
type GrowableMemory = WebAssembly.Memory & { grow(pages: number): number };

function sharedMemory(): GrowableMemory {
  const description = { initial: 2, maximum: MAX_PAGES, shared: true };
  return new WebAssembly.Memory(description) as GrowableMemory;
}

/** relflow's kernels on a memory of their own: arrays are copied in and out, which is far cheaper than gathers. */
class KernelMemory {
  readonly #memory = sharedMemory();
  readonly #pool: KernelPool;
  #end = FIRST_ADDRESS;

  constructor(threads: number) {
    this.#pool = new KernelPool(this.#memory, threads);
  }

  /** Forgets all arrays. */
  clear(): void {
    this.#end = FIRST_ADDRESS;
  }

  /** @returns the address of room for `count` numbers of 4 bytes */
  allocate(count: number): number {
    const at = this.#end;
    this.#end = at + 16 * Math.ceil(count / 4);
    const missing = Math.ceil((this.#end - this.#memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.#memory.grow(missing);
    return at;
  }

  write(tensor: tf.Tensor): number {
    const at = this.allocate(tensor.size);
    const values = tensor.dataSync();
    if (tensor.dtype === 'int32') new Int32Array(this.#memory.buffer, at, tensor.size).set(values);
    else new Float32Array(this.#memory.buffer, at, tensor.size).set(values);
    return at;
  }

  zeros(count: number): number {
    const at = this.allocate(count);
    new Float32Array(this.#memory.buffer, at, count).fill(0);
    return at;
  }

  read(at: number, shape: readonly number[]): tf.Tensor {
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
  let made: KernelMemory | undefined;
  const desk = () => {
    made ??= new KernelMemory(defaultThreads());
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
      const from = ['value', 'levels', 'locations', 'weights'].map((name) => at.write(given[name]!));
      const to = at.allocate(product(shape));
      at.run('deformableAttention', 4 * work, ...from, to, ...sizes);
      return at.read(to, shape);
    },
  });
  tf.registerKernel({
    kernelName: 'RelflowDeformableAttentionGradient',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => {
      const given = inputs as unknown as Record<string, tf.Tensor>;
      const { sizes, work } = sizesOf(given);
      const at = desk();
      const from = ['value', 'levels', 'locations', 'weights', 'dy'].map((name) => at.write(given[name]!));
      const { value, locations, weights } = given as Record<'value' | 'locations' | 'weights', tf.Tensor>;
      const to = [at.zeros(value.size), at.allocate(locations.size), at.allocate(weights.size)] as const;
      at.run('deformableAttentionGradient', 12 * work, ...from, ...to, ...sizes);
      return [at.read(to[0], value.shape), at.read(to[1], locations.shape), at.read(to[2], weights.shape)];
    },
  });
}
