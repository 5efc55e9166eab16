import * as tf from '@tensorflow/tfjs-core';
import { shapeSize } from './shape-size.js';

/** Numbers that all threads of a program share, by name. */
export type Uniforms = Readonly<Record<string, number>>;

/** Members of the WebGPU backend that relflow uses; its package is optional. */
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

/** Threads of a workgroup by default. */
const WORKGROUP_SIZE = 64;
/** Number of workgroups along one axis that every device supports; more are dispatched in rows, which the index continues through. */
const MAX_GROUPS = 65535;

const backendOf = () => tf.backend() as unknown as WebgpuBackend;

const flat = ({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo => ({ dataId, shape: [shapeSize(shape)], dtype });

/** A compute program and the arrays it runs on. */
export interface WebgpuProgram {
  /** Identifies the compiled program: calls with the same name must have the same code. */
  readonly name: string;
  /** WGSL with `fn main(index: i32)`; inputs and the output `result` are flat arrays, uniforms are fields of `uniforms`. */
  readonly code: string;
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  /** Uniforms of type i32. */
  readonly uniforms: Uniforms;
  /** Uniforms of type f32. */
  readonly floats?: Uniforms;
  /**
   * Number of threads. `main` runs at least this often, with `index` from 0, so it must check its bounds. Threads in workgroups
   * that share memory have `workgroupId` and `localIndex` in place of an index.
   */
  readonly threads: number | { readonly ofWorkgroup: number; readonly workgroups: readonly [number, number, number] };
  /** Shape of the output. */
  readonly shape: readonly number[];
  /** Array of 32-bit integers that the program updates by atomic operations; if omitted, the output is a new array of floats. */
  readonly atomic?: tf.TensorInfo;
}

const codeByName = new Map<string, string>();

/** @throws Error if a name is used for two programs, of which the backend would run the first for both */
function checkCode(name: string, code: string): void {
  const known = codeByName.get(name);
  if (known === undefined) codeByName.set(name, code);
  else if (known !== code) throw new Error(`webgpu: two programs are named '${name}', expected one code per name`);
}

/** Divides threads into workgroups, and these into as few rows as there have to be. */
function inRows(threads: number) {
  const groups = Math.ceil(threads / WORKGROUP_SIZE);
  const rows = Math.ceil(groups / MAX_GROUPS);
  return { ofWorkgroup: WORKGROUP_SIZE, workgroups: [Math.ceil(groups / rows), rows, 1] as const };
}

/** Runs a program on the GPU. The program sees flat arrays. */
export function runProgram(options: WebgpuProgram): tf.TensorInfo {
  const { name, code, inputs, uniforms, floats = {}, threads, shape, atomic } = options;
  const names = Object.keys(inputs);
  checkCode(name, code);
  // Fields of WGSL's `uniforms`, in the order in which their values are passed below.
  const declarations = [
    ...Object.keys(uniforms).map((uniform) => `${uniform}: i32,`),
    ...Object.keys(floats).map((uniform) => `${uniform}: f32,`),
  ].join(' ');
  const { ofWorkgroup, workgroups } = typeof threads === 'number' ? inRows(threads) : threads;
  const program = {
    variableNames: names,
    outputShape: [shapeSize(shape)],
    uniforms: declarations,
    workgroupSize: [ofWorkgroup, 1, 1],
    // The backend reuses a program of the same key, so the key contains the layout of its uniforms.
    shaderKey: `relflow ${name} ${declarations}`,
    dispatchLayout: { x: [0] },
    dispatch: workgroups,
    atomic: atomic !== undefined,
    getUserCode: () => code,
  };
  const output = backendOf().runWebGPUProgram(
    program,
    names.map((input) => flat(inputs[input]!)),
    atomic ? 'int32' : 'float32',
    [
      ...Object.values(uniforms).map((value) => ({ type: 'int32', data: [value] }) as const),
      ...Object.values(floats).map((value) => ({ type: 'float32', data: [value] }) as const),
    ],
    ...(atomic ? [flat(atomic)] : []),
  );
  return { ...output, shape: [...shape] };
}

/** Releases the memory of intermediate arrays. */
export function releaseWebgpuBuffer(...made: readonly tf.TensorInfo[]): void {
  for (const { dataId } of made) backendOf().disposeData(dataId);
}

/** Runs a kernel that is registered for the backend. */
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

/** Creates an array of zeros. */
export const webgpuZeros = (shape: readonly number[], dtype: 'float32' | 'int32' = 'float32'): tf.TensorInfo =>
  runBackendKernel('Fill', {}, { shape: [...shape], value: 0, dtype });
