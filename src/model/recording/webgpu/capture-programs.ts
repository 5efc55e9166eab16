import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../../errors.js';
import type { Recording } from '../recording.js';
import { replayRecording } from '../replay-recording.js';
import { type GpuBackend, type GpuPipeline, NUMBER_BYTES } from './webgpu-device.js';

/** A program of the GPU with its arguments. */
export interface CapturedProgram {
  readonly pipeline: GpuPipeline;
  /** Numbers of workgroups along x, y and z. */
  readonly dispatch: readonly [number, number, number];
  /** Indices into `CapturedPrograms.arrays`: first the array that the program writes, then those that it reads. */
  readonly arrays: readonly number[];
  /** Numbers that all threads share, in the layout of the program. */
  readonly uniforms: Uint8Array;
}

/** Array that programs read or write. */
export interface CapturedArray {
  readonly bytes: number;
  /** Its numbers, if they are the same in every run. */
  readonly constant?: tf.TypedArray;
  /** Name of the data that it holds, see `dataTensor`. */
  readonly data?: string;
  /** Tensor outside of the recording that it is. */
  readonly outside?: tf.Tensor;
}

/** The programs of a recording on a GPU, in order. */
export interface CapturedPrograms {
  readonly programs: readonly CapturedProgram[];
  readonly arrays: readonly CapturedArray[];
  /** Index of the array, shape and type of each output. */
  readonly outputs: ReadonlyMap<
    string,
    { readonly array: number; readonly shape: number[]; readonly dtype: tf.DataType }
  >;
}

const bytesOf = (shape: readonly number[]): number => NUMBER_BYTES * tf.util.sizeFromShape([...shape]);

/**
 * Finds the programs that the kernels of a recording run on the GPU. The kernels compile them, but nothing is computed and no
 * memory is allocated for intermediate results.
 * @throws RelflowError (`recording`) if a kernel computes an output on the processor
 */
export function capturePrograms(recording: Recording): CapturedPrograms {
  const backend = tf.backend() as unknown as GpuBackend;
  const capture = new ProgramCapture(backend, recording);
  const forward = tf.env().getBool('WEBGPU_CPU_FORWARD');
  // Small arrays would be computed on the processor, from the numbers of this run.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  const restore = capture.install();
  try {
    const results = replayRecording(recording, capture.data);
    const outputs = capture.outputsOf(results);
    tf.dispose(results);
    return { programs: capture.programs, arrays: capture.arrays, outputs };
  } finally {
    restore();
    tf.env().set('WEBGPU_CPU_FORWARD', forward);
  }
}

class ProgramCapture {
  readonly programs: CapturedProgram[] = [];
  readonly arrays: CapturedArray[] = [];
  /** Arrays of zeros in place of the data, whose identity tells which data a tensor holds. */
  readonly data: ReadonlyMap<string, tf.TypedArray>;
  readonly #backend: GpuBackend;
  readonly #indices = new Map<tf.DataId, number>();
  readonly #outside: ReadonlyMap<tf.DataId, tf.Tensor>;
  readonly #names: ReadonlyMap<tf.TypedArray, string>;

  constructor(backend: GpuBackend, { data, values, outside }: Recording) {
    this.#backend = backend;
    this.data = new Map(
      [...data].map(([name, value]) => {
        const { shape, dtype } = values[value]!;
        const size = tf.util.sizeFromShape([...shape]);
        return [name, dtype === 'float32' ? new Float32Array(size) : new Int32Array(size)];
      }),
    );
    this.#names = new Map([...this.data].map(([name, numbers]) => [numbers, name]));
    this.#outside = new Map([...outside.values()].map((tensor) => [tensor.dataId, tensor]));
  }

  /** Makes the backend write down its programs. @returns a function that ends this */
  install(): () => void {
    const backend = this.#backend;
    const { recordAndSubmit, makeUniforms } = backend;
    let uniforms = new Uint8Array(0);
    let dispatch: [number, number, number] = [0, 0, 0];
    // The backend's own code computes the layout of uniforms and the bindings; it sees these members in place of a GPU's.
    const uniformWriter = {
      bufferManager: { acquireBuffer: () => ({}) },
      queue: {
        writeBuffer: (_buffer: object, _start: number, bytes: ArrayBuffer) => {
          uniforms = new Uint8Array(bytes.slice(0));
        },
      },
      uniformPendingDisposal: [],
    };
    const pass = {
      setPipeline: () => {},
      setBindGroup: () => {},
      dispatchWorkgroups: (x: number, y: number, z: number) => {
        dispatch = [x, y, z];
      },
    };
    const recorder = Object.assign(Object.create(backend) as object, {
      device: { createBindGroup: () => ({}) },
      tensorToBinding: () => ({}),
      makeUniforms: (given: object[]) => makeUniforms.call(uniformWriter as unknown as GpuBackend, given),
      commandQueueOwnedIds: new WeakSet(),
      ensureCommandEncoderReady: () => {},
      computePassEncoder: pass,
      // Not a number, so that the backend never reaches the number of programs at which it submits them.
      dispatchCountInPass: Number.NaN,
      activeTimers: null,
    }) as unknown as GpuBackend;
    backend.uploadToGPU = (id) => this.#place(id);
    backend.recordAndSubmit = (program, output, inputs, given) => {
      recordAndSubmit.call(recorder, program, output, inputs, given);
      const { pipeline } = program as { readonly pipeline: GpuPipeline };
      const arrays = [output, ...inputs].map(({ dataId }) => this.#indices.get(dataId)!);
      this.programs.push({ pipeline, dispatch, arrays, uniforms });
    };
    return () => {
      // The methods of the class are used again.
      Reflect.deleteProperty(backend, 'uploadToGPU');
      Reflect.deleteProperty(backend, 'recordAndSubmit');
    };
  }

  /** Returns where the outputs are. */
  outputsOf(results: Readonly<Record<string, tf.Tensor>>): CapturedPrograms['outputs'] {
    return new Map(
      Object.entries(results).map(([name, { dataId, shape, dtype }]) => {
        this.#place(dataId);
        return [name, { array: this.#indices.get(dataId)!, shape: [...shape], dtype }];
      }),
    );
  }

  /** Gives an array its index when a program first uses it. */
  #place(id: tf.DataId): void {
    if (this.#indices.has(id)) return;
    const data = this.#backend.tensorMap.get(id);
    this.#indices.set(id, this.arrays.length);
    const bytes = bytesOf(data.shape);
    const outside = this.#outside.get(id);
    if (outside) {
      this.arrays.push({ bytes, outside });
      return;
    }
    const { values } = data;
    if (values) {
      const name = this.#names.get(values);
      this.arrays.push(name === undefined ? { bytes, constant: values } : { bytes, data: name });
      // As after an upload: no kernel may read the numbers again.
      data.values = null;
    } else this.arrays.push({ bytes });
    data.resource = {};
  }
}

/** @throws RelflowError (`recording`) if an output does not depend on any program, although it is not a constant */
export function checkOutputs({ programs, arrays, outputs }: CapturedPrograms): void {
  const written = new Set(programs.map((program) => program.arrays[0]));
  for (const [name, { array }] of outputs) {
    const { constant, data, outside } = arrays[array]!;
    if (written.has(array) || constant || data !== undefined || outside) continue;
    throw new RelflowError('recording', `recording: no program of backend webgpu computes the output '${name}'`);
  }
}
