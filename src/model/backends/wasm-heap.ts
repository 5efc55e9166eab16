import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { type KernelArguments, type KernelName, KernelPool } from './kernels/kernel-pool.js';

/** Members of the backend's Emscripten module that relflow uses. */
interface EmscriptenModule {
  readonly HEAPU8: Uint8Array;
  readonly wasmMemory?: WebAssembly.Memory;
  readonly asm?: { readonly memory: WebAssembly.Memory };
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** Gives relflow's kernels access to tensors of the running wasm backend by address. */
export class WasmHeap {
  readonly backend: BackendWasm;
  readonly #module: EmscriptenModule;
  readonly #pool: KernelPool;
  readonly #scratch: number;

  constructor(threads: number) {
    this.backend = tf.backend() as BackendWasm;
    this.#module = this.backend.wasm as unknown as EmscriptenModule;
    throwWhenFull(this.#module);
    const memory = this.#module.wasmMemory ?? this.#module.asm?.memory;
    if (!memory)
      throw new RelflowError(
        'no-backend',
        'backend wasm: its module exposes no memory, expected @tensorflow/tfjs-backend-wasm 4.22',
      );
    this.#pool = new KernelPool(memory, threads);
    this.#scratch = this.allocate(this.#pool.scratch);
  }

  get threads(): number {
    return this.#pool.threads;
  }

  /** Address of the scratch memory of `matmul` and `filterGradient`. */
  get scratch(): number {
    return this.#scratch;
  }

  /** Returns the address of a tensor's values. */
  address({ dataId }: tf.TensorInfo): number {
    const { memoryOffset } = this.backend.dataIdMap.get(dataId) as unknown as { memoryOffset: number };
    return memoryOffset >>> 0;
  }

  /** Creates a tensor without initializing its values. */
  output(shape: readonly number[], dtype: tf.DataType = 'float32'): tf.TensorInfo {
    return this.backend.makeOutput([...shape], dtype);
  }

  /** Creates a tensor of zeros. */
  zeros(shape: readonly number[]): tf.TensorInfo {
    const tensor = this.output(shape);
    const start = this.address(tensor);
    this.#module.HEAPU8.fill(0, start, start + 4 * tf.util.sizeFromShape([...shape]));
    return tensor;
  }

  /** Reads the 64-bit float at an address. */
  double(address: number): number {
    return new Float64Array(this.#module.HEAPU8.buffer, address, 1)[0]!;
  }

  /** Writes a 64-bit float to an address. */
  setDouble(address: number, value: number): void {
    new Float64Array(this.#module.HEAPU8.buffer, address, 1)[0] = value;
  }

  /** Allocates memory for `count` 4-byte numbers, to be released by `free`. */
  allocate(count: number): number {
    return this.#module._malloc(Math.max(16, 4 * count)) >>> 0;
  }

  free(address: number): void {
    this.#module._free(address);
  }

  /** Runs a kernel: see `KernelPool.run`. */
  run<N extends KernelName>(kernel: N, work: number, args: KernelArguments<N>): void {
    this.#pool.run(kernel, work, args);
  }

  close(): void {
    this.#pool.close();
  }
}

/** Makes a failed allocation an error; the backend would otherwise compute on address 0. */
function throwWhenFull(module: EmscriptenModule): void {
  // Emscripten replaces both functions on their first call.
  module._free(module._malloc(8));
  const allocate = module._malloc;
  module._malloc = (bytes) => {
    const address = allocate(bytes);
    if (address === 0 && bytes > 0) {
      throw new RelflowError(
        'out-of-memory',
        `backend wasm: cannot allocate ${bytes} bytes, the limit of 4 GiB is reached: use a smaller image, fewer pairs at once, or the tensorflow backend`,
        { bytes },
      );
    }
    return address;
  };
}
