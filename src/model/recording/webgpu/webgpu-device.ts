import type * as tf from '@tensorflow/tfjs-core';

/** Buffer of a GPU. */
export interface GpuBuffer {
  readonly size: number;
  destroy(): void;
}

/** Compiled program of a GPU. */
export interface GpuPipeline {
  getBindGroupLayout(index: number): object;
}

/** Programs that run one after another. */
export interface GpuPass {
  setPipeline(pipeline: GpuPipeline): void;
  setBindGroup(index: number, group: object): void;
  dispatchWorkgroups(x: number, y: number, z: number): void;
  end(): void;
}

/** Writes down what the GPU will do. */
export interface GpuEncoder {
  beginComputePass(): GpuPass;
  copyBufferToBuffer(from: GpuBuffer, fromStart: number, to: GpuBuffer, toStart: number, bytes: number): void;
  finish(): object;
}

/** Part of WebGPU that a replay uses; Node's types lack it. */
export interface GpuDevice {
  readonly limits: { readonly minUniformBufferOffsetAlignment: number };
  readonly queue: {
    writeBuffer(buffer: GpuBuffer, start: number, data: ArrayBufferView): void;
    submit(commands: readonly object[]): void;
  };
  createShaderModule(description: { readonly code: string }): object;
  createComputePipeline(description: {
    readonly layout: 'auto';
    readonly compute: { readonly module: object; readonly entryPoint: string };
  }): GpuPipeline;
  createBuffer(description: { readonly size: number; readonly usage: number }): GpuBuffer;
  createBindGroup(description: {
    readonly layout: object;
    readonly entries: readonly { readonly binding: number; readonly resource: object }[];
  }): object;
  createCommandEncoder(): GpuEncoder;
}

/** What the backend knows of a tensor. */
export interface TensorData {
  readonly dtype: tf.DataType;
  readonly shape: number[];
  /** Numbers that have not been uploaded. */
  values: tf.TypedArray | null | undefined;
  /** Buffer of the numbers; while programs are captured, an object that stands for it. */
  resource: object | null | undefined;
}

/** Members of TensorFlow.js's WebGPU backend that captures and replays use. */
export interface GpuBackend {
  readonly device: GpuDevice;
  readonly tensorMap: { get(id: tf.DataId): TensorData };
  readonly commandEncoder: object | null;
  uploadToGPU(id: tf.DataId): void;
  refCount(id: tf.DataId): number;
  recordAndSubmit(program: object, output: tf.TensorInfo, inputs: tf.TensorInfo[], uniforms?: object[]): void;
  makeUniforms(uniforms: object[]): object;
  endComputePassEncoder(): void;
  submitQueue(): void;
  createTensorFromGPUData(
    data: { buffer: GpuBuffer; zeroCopy: boolean },
    shape: number[],
    dtype: tf.DataType,
  ): tf.Tensor;
}

/** Submits the programs that were called before, so that they run before what is submitted next. */
export function flushPrograms(backend: GpuBackend): void {
  if (!backend.commandEncoder) return;
  backend.endComputePassEncoder();
  backend.submitQueue();
}

/** Usage of a buffer that programs read and write, and that can be copied from and to. */
export const STORAGE = 0x80 | 0x04 | 0x08;
/** Usage of a buffer of numbers that all threads of a program share. */
export const UNIFORM = 0x40 | 0x08;
/** Bytes per number on the GPU; bool and int32 take four, too. */
export const NUMBER_BYTES = 4;
