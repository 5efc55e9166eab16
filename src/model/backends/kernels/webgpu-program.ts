import * as tf from '@tensorflow/tfjs-core';

/** A number that all threads of a program are given. */
export type Uniforms = Readonly<Record<string, number>>;

/** What is used of the WebGPU backend, which relflow does not depend on. */
interface WebgpuBackend {
  runWebGPUProgram(
    program: object,
    inputs: readonly tf.TensorInfo[],
    dtype: tf.DataType,
    uniforms: readonly { readonly type: 'int32' | 'float32'; readonly data: readonly number[] }[],
    output?: tf.TensorInfo,
  ): tf.TensorInfo;
  disposeData(id: tf.DataId): boolean;
}

const WORKGROUP_SIZE = 64;
/** Groups of threads along one axis that every device has; more are laid out in rows, which the index runs through. */
const MAX_GROUPS = 65535;

export const product = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);

const backendOf = () => tf.backend() as unknown as WebgpuBackend;

const flat = ({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo => ({ dataId, shape: [product(shape)], dtype });

export interface WebgpuProgram {
  /** Programs of one name have one text. */
  readonly name: string;
  /** WGSL with `fn main(index: i32)`; inputs and the output `result` are plain arrays, uniforms are in `uniforms`. */
  readonly code: string;
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  /** Whole numbers. */
  readonly uniforms: Uniforms;
  /** Further ones, of 32-bit floats; they are in `uniforms` too. */
  readonly floats?: Uniforms;
  /** How often `main` runs, with `index` from 0; more often too, which `main` has to see. */
  readonly threads: number;
  readonly shape: readonly number[];
  /** Added to by atomic operations, as 32-bit integers; else the output is new, and of numbers. */
  readonly atomic?: tf.TensorInfo;
}

/** Runs a program on the GPU. Arrays are flat to it, whatever their shape. */
export function runProgram(asked: WebgpuProgram): tf.TensorInfo {
  const { name, code, inputs, uniforms, floats: numbers = {}, threads, shape, atomic } = asked;
  const names = Object.keys(inputs);
  const groups = Math.ceil(threads / WORKGROUP_SIZE);
  const rows = Math.ceil(groups / MAX_GROUPS);
  const program = {
    variableNames: names,
    outputShape: [product(shape)],
    uniforms: [
      ...Object.keys(uniforms).map((uniform) => `${uniform}: i32,`),
      ...Object.keys(numbers).map((number) => `${number}: f32,`),
    ].join(' '),
    workgroupSize: [WORKGROUP_SIZE, 1, 1],
    shaderKey: `relflow ${name}`,
    dispatchLayout: { x: [0] },
    dispatch: [Math.ceil(groups / rows), rows, 1],
    atomic: atomic !== undefined,
    getUserCode: () => code,
  };
  const made = backendOf().runWebGPUProgram(
    program,
    names.map((input) => flat(inputs[input]!)),
    atomic ? 'int32' : 'float32',
    [
      ...Object.values(uniforms).map((value) => ({ type: 'int32', data: [value] }) as const),
      ...Object.values(numbers).map((value) => ({ type: 'float32', data: [value] }) as const),
    ],
    ...(atomic ? [flat(atomic)] : []),
  );
  return { ...made, shape: [...shape] };
}

/** Gives back the memory of what was made on the way. */
export function release(...made: readonly tf.TensorInfo[]): void {
  for (const { dataId } of made) backendOf().disposeData(dataId);
}

/** Runs one of the backend's own kernels. */
export function runBackendKernel(
  kernel: string,
  inputs: Readonly<Record<string, tf.TensorInfo>>,
  attributes: object,
): tf.TensorInfo {
  const { kernelFunc } = tf.getKernel(kernel, 'webgpu')!;
  return kernelFunc({
    inputs: inputs as tf.NamedTensorInfoMap,
    attrs: attributes as tf.NamedAttrMap,
    backend: tf.backend(),
  }) as tf.TensorInfo;
}

export const zeros = (shape: readonly number[], dtype: 'float32' | 'int32' = 'float32'): tf.TensorInfo =>
  runBackendKernel('Fill', {}, { shape: [...shape], value: 0, dtype });
