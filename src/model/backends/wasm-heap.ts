import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { type KernelName, KernelPool } from './kernels/kernel-pool.js';

/** What is used of the backend's own module. */
interface EmscriptenModule {
  readonly HEAPU8: Uint8Array;
  readonly wasmMemory?: WebAssembly.Memory;
  readonly asm?: { readonly memory: WebAssembly.Memory };
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** Tensors of the running wasm backend as addresses in its memory, and kernels of our own upon them. */
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
    if (!memory) throw new RelflowError('no-backend', 'backend wasm: its memory is not where it was');
    this.#pool = new KernelPool(memory, threads);
    this.#scratch = this.allocate(this.#pool.scratch);
  }

  get threads(): number {
    return this.#pool.threads;
  }

  /** Scratch of the kernels that need some. */
  get scratch(): number {
    return this.#scratch;
  }

  address({ dataId }: tf.TensorInfo): number {
    const { memoryOffset } = this.backend.dataIdMap.get(dataId) as unknown as { memoryOffset: number };
    return memoryOffset >>> 0;
  }

  /** A new tensor, whatever the memory holds in it. */
  output(shape: readonly number[], dtype: tf.DataType = 'float32'): tf.TensorInfo {
    return this.backend.makeOutput([...shape], dtype);
  }

  /** A new tensor of zeros. */
  zeros(shape: readonly number[]): tf.TensorInfo {
    const tensor = this.output(shape);
    const start = this.address(tensor);
    this.#module.HEAPU8.fill(0, start, start + 4 * tf.util.sizeFromShape([...shape]));
    return tensor;
  }

  /** The number of 64 bits at an address. */
  double(address: number): number {
    return new Float64Array(this.#module.HEAPU8.buffer, address, 1)[0]!;
  }

  setDouble(address: number, value: number): void {
    new Float64Array(this.#module.HEAPU8.buffer, address, 1)[0] = value;
  }

  /** Memory for `count` numbers of 4 bytes, to be given back by `free`. */
  allocate(count: number): number {
    return this.#module._malloc(Math.max(16, 4 * count)) >>> 0;
  }

  free(address: number): void {
    this.#module._free(address);
  }

  run(kernel: KernelName, work: number, ...args: number[]): void {
    this.#pool.run(kernel, work, ...args);
  }

  close(): void {
    this.#pool.close();
  }
}

/** The backend takes an allocation that failed for one at address 0, and goes on to compute nonsense: it must be an error. */
function throwWhenFull(module: EmscriptenModule): void {
  // The first call replaces the function by the real one.
  module._free(module._malloc(8));
  const allocate = module._malloc;
  module._malloc = (bytes) => {
    const address = allocate(bytes);
    if (address === 0 && bytes > 0) {
      throw new RelflowError(
        'out-of-memory',
        `backend wasm: its memory of 4 GiB is full: no ${bytes} bytes are left. A smaller image, fewer pairs at once, or the tensorflow backend may help`,
        { bytes },
      );
    }
    return address;
  };
}
