import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../../errors.js';
import type { Recording } from '../recording.js';
import { type CapturedPrograms, capturePrograms, checkOutputs } from './capture-programs.js';
import { type Lifetime, planBuffers } from './plan-buffers.js';
import { type GpuBackend, type GpuBuffer, type GpuPipeline, NUMBER_BYTES, STORAGE, UNIFORM } from './webgpu-device.js';

interface Step {
  readonly pipeline: GpuPipeline;
  readonly dispatch: readonly [number, number, number];
  readonly arrays: readonly number[];
  readonly uniforms: { readonly offset: number; readonly size: number };
  group: object;
}

/** Size and number of the buffers of a replay. */
export interface ReplayMemory {
  /** Number of buffers, without those of tensors outside of the recording. */
  readonly buffers: number;
  /** Their size in bytes. */
  readonly bytes: number;
  /** Number of arrays that the programs make; with a buffer for each there would be as many. */
  readonly arrays: number;
  /** Size of these arrays in bytes. */
  readonly arrayBytes: number;
}

/**
 * A recording as programs of the GPU: pipelines, bind groups and buffers are made once, and each run only encodes and submits
 * them again. Arrays that are not needed at the same time share buffers.
 *
 * A recorded update of a variable is copied into the variable at the end of a run, so that the next run reads it.
 */
export class WebgpuReplay {
  readonly memory: ReplayMemory;
  readonly #backend: GpuBackend;
  readonly #captured: CapturedPrograms;
  readonly #steps: readonly Step[];
  readonly #buffers: (GpuBuffer | undefined)[];
  readonly #owned: readonly GpuBuffer[];
  readonly #uniforms: GpuBuffer;
  readonly #outside: readonly { readonly array: number; readonly tensor: tf.Tensor }[];
  readonly #data: ReadonlyMap<string, GpuBuffer>;
  readonly #updates: ReadonlyMap<string, tf.Tensor>;

  /**
   * Makes the programs and their buffers. The webgpu backend must be active.
   * @param updates tensors outside of the recording that an output replaces after each run, by the output's name
   * @throws RelflowError (`recording`) if a kernel of the recording computes on the processor, or an update has another shape
   */
  constructor(recording: Recording, updates: ReadonlyMap<string, tf.Tensor> = new Map()) {
    const backend = tf.backend() as unknown as GpuBackend;
    const captured = capturePrograms(recording);
    checkOutputs(captured);
    this.#backend = backend;
    this.#captured = captured;
    this.#updates = updates;
    for (const [name, tensor] of updates) checkUpdate(captured, name, tensor);
    const { arrays, programs, outputs } = captured;
    const { device } = backend;
    this.#outside = arrays.flatMap(({ outside }, array) => (outside ? [{ array, tensor: outside }] : []));
    const lifetimes = lifetimesOf(captured);
    const shared = [...lifetimes.keys()];
    const plan = planBuffers([...lifetimes.values()]);
    const owned = plan.buffers.map((size) => device.createBuffer({ size, usage: STORAGE }));
    const buffers = new Array<GpuBuffer | undefined>(arrays.length);
    for (const [k, array] of shared.entries()) buffers[array] = owned[plan.bufferOf[k]!]!;
    const data = new Map<string, GpuBuffer>();
    const outputArrays = new Set([...outputs.values()].map(({ array }) => array));
    for (const [k, { bytes, constant, data: name, outside }] of arrays.entries()) {
      if (outside || buffers[k] || (bytes === 0 && !outputArrays.has(k))) continue;
      const buffer = device.createBuffer({ size: Math.max(NUMBER_BYTES, bytes), usage: STORAGE });
      if (constant && bytes > 0) device.queue.writeBuffer(buffer, 0, numbersOf(constant));
      if (name !== undefined) data.set(name, buffer);
      buffers[k] = buffer;
      owned.push(buffer);
    }
    this.#data = data;
    this.#buffers = buffers;
    this.#owned = owned;
    const packed = packUniforms(captured, device.limits.minUniformBufferOffsetAlignment);
    this.#uniforms = device.createBuffer({ size: packed.bytes.length, usage: UNIFORM });
    device.queue.writeBuffer(this.#uniforms, 0, packed.bytes);
    this.#bindOutside();
    this.#steps = programs.map(({ pipeline, dispatch, arrays: used }, k) => {
      const step = { pipeline, dispatch, arrays: used, uniforms: packed.places[k]!, group: {} };
      step.group = this.#groupOf(step);
      return step;
    });
    this.memory = {
      buffers: owned.length,
      bytes: owned.reduce((sum, { size }) => sum + size, 0),
      arrays: arrays.filter(({ outside }) => !outside).length,
      arrayBytes: arrays.reduce((sum, { bytes, outside }) => sum + (outside ? 0 : bytes), 0),
    };
  }

  /** Number of programs of a run. */
  get programs(): number {
    return this.#steps.length;
  }

  /**
   * Runs all programs.
   * @param data numbers of each `dataTensor`, by name
   * @returns the outputs that are not updates; the next run overwrites their numbers, and the caller disposes of them
   * @throws RelflowError (`recording`) if data are missing or have another size
   */
  run(data: ReadonlyMap<string, tf.TypedArray>): Record<string, tf.Tensor> {
    const backend = this.#backend;
    const { device } = backend;
    const changed = this.#bindOutside();
    if (changed.size > 0)
      for (const step of this.#steps)
        if (step.arrays.some((array) => changed.has(array))) step.group = this.#groupOf(step);
    // What was called before must run before.
    if (backend.commandEncoder) {
      backend.endComputePassEncoder();
      backend.submitQueue();
    }
    for (const [name, buffer] of this.#data) {
      const numbers = data.get(name);
      if (numbers?.byteLength !== buffer.size)
        throw new RelflowError(
          'recording',
          `recording: data ${name} has ${numbers?.byteLength ?? 'no'} bytes, expected ${buffer.size}`,
        );
      device.queue.writeBuffer(buffer, 0, numbers);
    }
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let last: GpuPipeline | undefined;
    for (const { pipeline, group, dispatch } of this.#steps) {
      if (pipeline !== last) pass.setPipeline(pipeline);
      last = pipeline;
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...dispatch);
    }
    pass.end();
    for (const [name, tensor] of this.#updates) {
      const { array } = this.#captured.outputs.get(name)!;
      encoder.copyBufferToBuffer(
        this.#buffers[array]!,
        0,
        this.#resourceOf(tensor),
        0,
        this.#captured.arrays[array]!.bytes,
      );
    }
    device.queue.submit([encoder.finish()]);
    const outputs = [...this.#captured.outputs].filter(([name]) => !this.#updates.has(name));
    return Object.fromEntries(
      outputs.map(([name, { array, shape, dtype }]) => {
        const buffer = this.#buffers[array]!;
        return [name, backend.createTensorFromGPUData({ buffer, zeroCopy: true }, shape, dtype)];
      }),
    );
  }

  /** Frees all buffers; outputs must not be read afterwards. */
  dispose(): void {
    for (const buffer of this.#owned) buffer.destroy();
    this.#uniforms.destroy();
  }

  /** Finds the buffers of the tensors outside of the recording. @returns indices of the arrays whose buffer is another one */
  #bindOutside(): Set<number> {
    const changed = new Set<number>();
    for (const { array, tensor } of this.#outside) {
      const buffer = this.#resourceOf(tensor);
      if (buffer === this.#buffers[array]) continue;
      this.#buffers[array] = buffer;
      changed.add(array);
    }
    return changed;
  }

  /** Returns the buffer of a tensor, whose numbers are uploaded first if they are not on the GPU. */
  #resourceOf({ dataId }: tf.Tensor): GpuBuffer {
    this.#backend.uploadToGPU(dataId);
    return this.#backend.tensorMap.get(dataId).resource as GpuBuffer;
  }

  #groupOf({ pipeline, arrays, uniforms }: Step): object {
    const resources = arrays.map((array) => ({
      buffer: this.#buffers[array]!,
      size: this.#captured.arrays[array]!.bytes,
    }));
    return this.#backend.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [...resources, { buffer: this.#uniforms, ...uniforms }].map((resource, binding) => ({
        binding,
        resource,
      })),
    });
  }
}

/** Numbers as the GPU has them: bool takes four bytes. */
const numbersOf = (values: tf.TypedArray): tf.TypedArray =>
  values instanceof Float32Array || values instanceof Int32Array ? values : Int32Array.from(values);

/** Lifetimes of the arrays that programs make, by index; outputs have buffers of their own. */
export function lifetimesOf({ programs, arrays, outputs }: CapturedPrograms): ReadonlyMap<number, Lifetime> {
  const kept = new Set([...outputs.values()].map(({ array }) => array));
  const lifetimes = new Map<number, { bytes: number; first: number; last: number }>();
  for (const [k, program] of programs.entries())
    for (const array of program.arrays) {
      const { bytes, constant, data, outside } = arrays[array]!;
      if (constant || data !== undefined || outside || kept.has(array)) continue;
      const known = lifetimes.get(array);
      if (known) known.last = k;
      else lifetimes.set(array, { bytes, first: k, last: k });
    }
  return lifetimes;
}

/** Packs the uniforms of all programs into one buffer, equal ones once. */
function packUniforms({ programs }: CapturedPrograms, alignment: number) {
  const known = new Map<string, { offset: number; size: number }>();
  let end = 0;
  const places = programs.map(({ uniforms }) => {
    const key = Buffer.from(uniforms).toString('latin1');
    const place = known.get(key) ?? { offset: end, size: uniforms.length };
    if (!known.has(key)) end += Math.ceil(uniforms.length / alignment) * alignment;
    known.set(key, place);
    return place;
  });
  const bytes = new Uint8Array(Math.max(alignment, end));
  for (const [k, { offset }] of places.entries()) bytes.set(programs[k]!.uniforms, offset);
  return { places, bytes };
}

/** @throws RelflowError (`recording`) if an update is not an output or has another size than its tensor */
function checkUpdate({ outputs, arrays }: CapturedPrograms, name: string, { size }: tf.Tensor): void {
  const output = outputs.get(name);
  if (output && arrays[output.array]!.bytes === NUMBER_BYTES * size) return;
  throw new RelflowError(
    'recording',
    `recording: the update '${name}' is ${output ? `of ${arrays[output.array]!.bytes / NUMBER_BYTES} numbers, expected ${size}` : 'no output'}`,
  );
}
