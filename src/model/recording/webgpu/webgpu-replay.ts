import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../../errors.js';
import type { Recording } from '../recording.js';
import { type CapturedPrograms, capturePrograms, checkOutputs } from './capture-programs.js';
import { type Lifetime, planBuffers } from './plan-buffers.js';
import { SharedBuffers } from './shared-buffers.js';
import {
  flushPrograms,
  type GpuBackend,
  type GpuBuffer,
  type GpuEncoder,
  type GpuPipeline,
  NUMBER_BYTES,
  STORAGE,
  UNIFORM,
} from './webgpu-device.js';

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

/** Tensors by the data that stood for them in a recording. */
export type GivenTensors = ReadonlyMap<tf.DataId, tf.Tensor>;

/** Options of a `WebgpuReplay`. */
export interface WebgpuReplayOptions {
  /** Buffers of the caller that receive outputs in each run, by the output's name. */
  readonly places?: ReadonlyMap<string, GpuBuffer>;
  /** Names of the data that only the second part of a run is given; a run without them has one part. */
  readonly late?: ReadonlySet<string>;
  /** Buffers that several replays share, of which one runs at a time. */
  readonly shared?: SharedBuffers;
}

/**
 * A recording as programs of the GPU: pipelines, bind groups and buffers are made once, and each run only encodes and submits
 * them again. Arrays that are not needed at the same time share buffers.
 *
 * With `late` data, a run has two parts: `begin` runs the programs before the first one that needs them, `end` the others.
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
  /** Names of the outputs that are in buffers of the caller. */
  readonly #placed: ReadonlySet<string>;
  /** Outputs that are copied into the caller's buffers, since their arrays are elsewhere. */
  readonly #copies: readonly { readonly array: number; readonly to: GpuBuffer }[];
  readonly #late: ReadonlySet<string>;
  /** Number of programs of the first part. */
  readonly #split: number;

  /**
   * Makes the programs and their buffers. The webgpu backend must be active.
   * @throws RelflowError (`recording`) if a kernel of the recording computes on the processor, or a place has another size
   */
  constructor(recording: Recording, { places = new Map(), late = new Set(), shared }: WebgpuReplayOptions = {}) {
    const backend = tf.backend() as unknown as GpuBackend;
    const captured = capturePrograms(recording);
    checkOutputs(captured);
    this.#backend = backend;
    this.#captured = captured;
    this.#placed = new Set(places.keys());
    this.#late = late;
    const { arrays, programs, outputs } = captured;
    const { device } = backend;
    this.#outside = arrays.flatMap(({ outside }, array) => (outside ? [{ array, tensor: outside }] : []));
    const lifetimes = lifetimesOf(captured);
    const plan = planBuffers([...lifetimes.values()]);
    const planned = (shared ?? new SharedBuffers(device)).take(plan.buffers);
    const buffers = new Array<GpuBuffer | undefined>(arrays.length);
    for (const [k, array] of [...lifetimes.keys()].entries()) buffers[array] = planned[plan.bufferOf[k]!]!;
    const copies: { array: number; to: GpuBuffer }[] = [];
    for (const [name, to] of places) {
      const array = placedArray(captured, name, to);
      const { constant, data, outside } = arrays[array]!;
      if (constant || data !== undefined || outside || buffers[array]) copies.push({ array, to });
      else buffers[array] = to;
    }
    this.#copies = copies;
    const owned: GpuBuffer[] = shared ? [] : [...planned];
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
    const lateArrays = new Set(
      arrays.flatMap(({ data: name }, k) => (name !== undefined && late.has(name) ? [k] : [])),
    );
    const split = programs.findIndex((program) => program.arrays.some((array) => lateArrays.has(array)));
    this.#split = split < 0 ? programs.length : split;
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
      buffers: owned.length + (shared ? planned.length : 0),
      bytes: [...owned, ...(shared ? planned : [])].reduce((sum, { size }) => sum + size, 0),
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
   * @param given tensors in place of some outside of the recording, by what those were
   * @returns the outputs that are not in buffers of the caller; the next run overwrites their numbers, and the caller disposes
   *   of them
   * @throws RelflowError (`recording`) if data are missing or have another size
   */
  run(data: ReadonlyMap<string, tf.TypedArray>, given?: GivenTensors): Record<string, tf.Tensor> {
    this.#start(data, given);
    return this.#finish(data, 0);
  }

  /**
   * Runs the programs that do not need the late data.
   * @param data numbers of each `dataTensor` that is not late
   * @param names of the outputs to return
   * @returns these outputs, which the caller disposes of
   * @throws RelflowError (`recording`) if data are missing or have another size, or if one of these outputs needs late data
   */
  begin(data: ReadonlyMap<string, tf.TypedArray>, names: readonly string[]): Record<string, tf.Tensor> {
    for (const name of names) {
      const { array } = this.#captured.outputs.get(name)!;
      if (this.#steps.slice(this.#split).some(({ arrays }) => arrays[0] === array))
        throw new RelflowError('recording', `recording: the output ${name} depends on data that are given later`);
    }
    this.#start(data);
    const encoder = this.#backend.device.createCommandEncoder();
    this.#encode(encoder, 0, this.#split);
    this.#backend.device.queue.submit([encoder.finish()]);
    return this.#outputs(names);
  }

  /**
   * Runs the programs that `begin` has left.
   * @param data numbers of each late `dataTensor`
   * @returns and throws as `run`
   */
  end(data: ReadonlyMap<string, tf.TypedArray>): Record<string, tf.Tensor> {
    return this.#finish(data, this.#split);
  }

  /** Writes the data that are not late, and submits what was called before. */
  #start(data: ReadonlyMap<string, tf.TypedArray>, given?: GivenTensors): void {
    const changed = this.#bindOutside(given);
    if (changed.size > 0)
      for (const step of this.#steps)
        if (step.arrays.some((array) => changed.has(array))) step.group = this.#groupOf(step);
    flushPrograms(this.#backend);
    this.#write(data, (name) => !this.#late.has(name));
  }

  /** Writes the late data, and runs the programs from an index on. */
  #finish(data: ReadonlyMap<string, tf.TypedArray>, from: number): Record<string, tf.Tensor> {
    this.#write(data, (name) => this.#late.has(name));
    const encoder = this.#backend.device.createCommandEncoder();
    this.#encode(encoder, from, this.#steps.length);
    for (const { array, to } of this.#copies)
      encoder.copyBufferToBuffer(this.#buffers[array]!, 0, to, 0, this.#captured.arrays[array]!.bytes);
    this.#backend.device.queue.submit([encoder.finish()]);
    return this.#outputs([...this.#captured.outputs.keys()].filter((name) => !this.#placed.has(name)));
  }

  #write(data: ReadonlyMap<string, tf.TypedArray>, isWritten: (name: string) => boolean): void {
    for (const [name, buffer] of this.#data) {
      if (!isWritten(name)) continue;
      const numbers = data.get(name);
      if (numbers?.byteLength !== buffer.size)
        throw new RelflowError(
          'recording',
          `recording: data ${name} has ${numbers?.byteLength ?? 'no'} bytes, expected ${buffer.size}`,
        );
      this.#backend.device.queue.writeBuffer(buffer, 0, numbers);
    }
  }

  #encode(encoder: GpuEncoder, from: number, to: number): void {
    const pass = encoder.beginComputePass();
    let last: GpuPipeline | undefined;
    for (let k = from; k < to; k++) {
      const { pipeline, group, dispatch } = this.#steps[k]!;
      if (pipeline !== last) pass.setPipeline(pipeline);
      last = pipeline;
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...dispatch);
    }
    pass.end();
  }

  #outputs(names: readonly string[]): Record<string, tf.Tensor> {
    return Object.fromEntries(
      names.map((name) => {
        const { array, shape, dtype } = this.#captured.outputs.get(name)!;
        const buffer = this.#buffers[array]!;
        return [name, this.#backend.createTensorFromGPUData({ buffer, zeroCopy: true }, shape, dtype)];
      }),
    );
  }

  /** Frees all buffers but shared ones and the caller's; outputs must not be read afterwards. */
  dispose(): void {
    for (const buffer of this.#owned) buffer.destroy();
    this.#uniforms.destroy();
  }

  /** Finds the buffers of the tensors outside of the recording. @returns indices of the arrays whose buffer is another one */
  #bindOutside(given?: GivenTensors): Set<number> {
    const changed = new Set<number>();
    for (const { array, tensor } of this.#outside) {
      const buffer = this.#resourceOf(given?.get(tensor.dataId) ?? tensor);
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

/**
 * Returns the array of an output that the caller has a buffer for.
 * @throws RelflowError (`recording`) if it is not an output or has another size than the buffer
 */
function placedArray({ outputs, arrays }: CapturedPrograms, name: string, { size }: GpuBuffer): number {
  const output = outputs.get(name);
  if (output && arrays[output.array]!.bytes === size) return output.array;
  throw new RelflowError(
    'recording',
    `recording: the output '${name}' ${output ? `has ${arrays[output.array]!.bytes} bytes` : 'does not exist'}, expected ${size} bytes`,
  );
}
