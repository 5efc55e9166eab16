import { type GpuBuffer, type GpuDevice, STORAGE } from './webgpu-device.js';

/** Buffers of a GPU that replays share: only one of them runs at a time, and none keeps numbers in them between runs. */
export class SharedBuffers {
  readonly #device: Pick<GpuDevice, 'createBuffer'>;
  /** In descending order of size. */
  #buffers: GpuBuffer[] = [];

  constructor(device: Pick<GpuDevice, 'createBuffer'>) {
    this.#device = device;
  }

  /** Size of all buffers in bytes. */
  get bytes(): number {
    return this.#buffers.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Returns distinct buffers that are at least as large as asked for; makes those that are missing.
   * @param sizes in bytes, in descending order
   */
  take(sizes: readonly number[]): GpuBuffer[] {
    const free = [...this.#buffers];
    const taken = sizes.map((size) => {
      // The smallest one that is large enough.
      const at = free.findLastIndex((buffer) => buffer.size >= size);
      if (at >= 0) return free.splice(at, 1)[0]!;
      const made = this.#device.createBuffer({ size, usage: STORAGE });
      this.#buffers.push(made);
      return made;
    });
    this.#buffers.sort((a, b) => b.size - a.size);
    return taken;
  }

  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers = [];
  }
}
