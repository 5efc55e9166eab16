import * as tf from '@tensorflow/tfjs-core';
import { type KernelArguments, type KernelName, KernelPool } from './kernels/kernel-pool.js';
import { shapeSize } from './kernels/shape-size.js';
import { defaultWasmThreads } from './start-wasm-backend.js';

const PAGE_BYTES = 65_536;
/** Address of the first array; the page below is left to static data of the kernels. */
const FIRST_ADDRESS = PAGE_BYTES;
const MAX_PAGES = 65_536;

/** A memory with `grow`, which Node's types lack. */
type GrowableMemory = WebAssembly.Memory & { grow(pages: number): number };

function sharedMemory(): GrowableMemory {
  const description = { initial: 2, maximum: MAX_PAGES, shared: true };
  return new WebAssembly.Memory(description) as GrowableMemory;
}

/** relflow's kernels with a memory of their own; copying arrays in and out costs far less than the gathers it replaces. */
class KernelMemory {
  readonly #memory = sharedMemory();
  readonly #pool: KernelPool;
  #end = FIRST_ADDRESS;

  constructor(threads: number) {
    this.#pool = new KernelPool(this.#memory, threads);
  }

  /** Frees all arrays. */
  clear(): void {
    this.#end = FIRST_ADDRESS;
  }

  /** Reserves memory for `count` 4-byte numbers and returns its address, a multiple of 16. */
  allocate(count: number): number {
    const address = this.#end;
    this.#end = address + 16 * Math.ceil(count / 4);
    const missing = Math.ceil((this.#end - this.#memory.buffer.byteLength) / PAGE_BYTES);
    if (missing > 0) this.#memory.grow(missing);
    return address;
  }

  /** Copies a tensor into the memory and returns its address. */
  write(tensor: tf.Tensor): number {
    const address = this.allocate(tensor.size);
    const values = tensor.dataSync();
    if (tensor.dtype === 'int32') new Int32Array(this.#memory.buffer, address, tensor.size).set(values);
    else new Float32Array(this.#memory.buffer, address, tensor.size).set(values);
    return address;
  }

  /** Reserves `count` zeros of 32 bits and returns their address. */
  zeros(count: number): number {
    const address = this.allocate(count);
    new Float32Array(this.#memory.buffer, address, count).fill(0);
    return address;
  }

  /** Copies an array of 32-bit floats out of the memory. */
  read(address: number, shape: readonly number[]): tf.Tensor {
    // A copy, since the next kernel reuses the memory.
    return tf.tensor(new Float32Array(this.#memory.buffer, address, shapeSize(shape)).slice(), [...shape]);
  }

  /** Runs a kernel: see `KernelPool.run`. */
  run<N extends KernelName>(kernel: N, work: number, args: KernelArguments<N>): void {
    this.#pool.run(kernel, work, args);
  }
}

/**
 * Registers relflow's deformable attention in WebAssembly for the TensorFlow C library on a processor, where it is faster than
 * gathers. It is not used on a GPU, since arrays would travel to the processor and back.
 */
export function installNativeKernels(): void {
  for (const kernelName of ['RelflowDeformableAttention', 'RelflowDeformableAttentionGradient'])
    tf.unregisterKernel(kernelName, 'tensorflow');
  let created: KernelMemory | undefined;
  const emptyMemory = () => {
    created ??= new KernelMemory(defaultWasmThreads());
    created.clear();
    return created;
  };
  const sizesOf = ({ value, weights }: Readonly<Record<string, tf.Tensor>>) => {
    const [batch, tokens, heads, width] = value!.shape as [number, number, number, number];
    const [, queries, , levels, points] = weights!.shape as [number, number, number, number, number];
    return {
      sizes: { batch, tokens, queries, heads, levels, points, width },
      work: batch * queries * heads * levels * points * width,
      shape: [batch, queries, heads * width],
    };
  };
  const writeInputs = (memory: KernelMemory, { value, levels, locations, weights }: Record<string, tf.Tensor>) => ({
    ...{ value: memory.write(value!), sizes: memory.write(levels!) },
    ...{ locations: memory.write(locations!), weights: memory.write(weights!) },
  });
  tf.registerKernel({
    kernelName: 'RelflowDeformableAttention',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => {
      const tensors = inputs as unknown as Record<string, tf.Tensor>;
      const { sizes, work, shape } = sizesOf(tensors);
      const memory = emptyMemory();
      const args = { ...writeInputs(memory, tensors), ...sizes, to: memory.allocate(shapeSize(shape)) };
      memory.run('deformableAttention', 4 * work, args);
      return memory.read(args.to, shape);
    },
  });
  tf.registerKernel({
    kernelName: 'RelflowDeformableAttentionGradient',
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => {
      const tensors = inputs as unknown as Record<'value' | 'locations' | 'weights' | 'dy', tf.Tensor>;
      const { value, locations, weights, dy } = tensors;
      const { sizes, work } = sizesOf(tensors);
      const memory = emptyMemory();
      const args = {
        ...writeInputs(memory, tensors),
        ...sizes,
        dy: memory.write(dy),
        dValue: memory.zeros(value.size),
        dLocations: memory.allocate(locations.size),
        dWeights: memory.allocate(weights.size),
      };
      memory.run('deformableAttentionGradient', 12 * work, args);
      return [
        memory.read(args.dValue, value.shape),
        memory.read(args.dLocations, locations.shape),
        memory.read(args.dWeights, weights.shape),
      ];
    },
  });
}
