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

interface GpuEncoder {
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
  recordAndSubmit(program: object, output: tf.TensorInfo, inputs: tf.TensorInfo[], uniforms?: object[]): void;
  makeUniforms(uniforms: object[]): object;
  endComputePassEncoder(): void;
  submitQueue(): void;
  createTensorFromGPUData(data: { buffer: GpuBuffer; zeroCopy: true }, shape: number[], dtype: tf.DataType): tf.Tensor;
}

/** Usage of a buffer that programs read and write, and that can be copied from and to. */
export const STORAGE = 0x80 | 0x04 | 0x08;
/** Usage of a buffer of numbers that all threads of a program share. */
export const UNIFORM = 0x40 | 0x08;
/** Bytes per number on the GPU; bool and int32 take four, too. */
export const NUMBER_BYTES = 4;
