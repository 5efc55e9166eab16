import * as tf from '@tensorflow/tfjs-core';
import { product, release } from './webgpu-program.js';

/** The package's number of the matrix product by tiles, in which each number of the result has one thread. */
const TILED_MATMUL = 3;

/** Kernels of the backend that are wrong, set right; long products of small matrices would be added as threads come. */
export function repairWebgpuKernels(): void {
  tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', TILED_MATMUL);
  repairPad();
  repairSum();
}

/** A kernel of the backend, whose place is free then. */
function takeKernel(kernelName: string): tf.KernelConfig {
  const kernel = tf.getKernel(kernelName, 'webgpu')!;
  tf.unregisterKernel(kernelName, 'webgpu');
  return kernel;
}

/**
 * The backend's own padding is not valid WGSL beyond four axes. There axes are padded one after the other, each between
 * those before and those after it as one.
 */
function repairPad(): void {
  const pad = takeKernel('PadV2');
  tf.registerKernel({
    ...pad,
    kernelFunc: (call) => {
      const { x } = call.inputs as Record<string, tf.TensorInfo>;
      if (x!.shape.length <= 4) return pad.kernelFunc(call);
      const { paddings, constantValue } = call.attrs as unknown as tf.PadV2Attrs;
      const shape = [...x!.shape];
      let made = x!;
      for (const [axis, padding] of paddings.entries()) {
        // Something new is made even if nothing is padded.
        if (padding[0] + padding[1] === 0 && (made !== x || axis < paddings.length - 1)) continue;
        const parts = [product(shape.slice(0, axis)), shape[axis]!, product(shape.slice(axis + 1))];
        const padded = pad.kernelFunc({
          ...call,
          inputs: { x: { ...made, shape: parts } },
          attrs: { paddings: [[0, 0], padding, [0, 0]], constantValue } as unknown as tf.NamedAttrMap,
        }) as tf.TensorInfo;
        if (made !== x) release(made);
        shape[axis]! += padding[0] + padding[1];
        made = padded;
      }
      return { ...made, shape };
    },
  });
}

/** How many arrays a program may read on any device. */
const MAX_INPUTS = 7;

/** The backend adds all arrays in one program, which may not have so many. */
function repairSum(): void {
  const addN = takeKernel('AddN');
  tf.registerKernel({
    ...addN,
    kernelFunc: (call) => {
      const sumOf = (arrays: readonly tf.TensorInfo[]): tf.TensorInfo => {
        const inputs = arrays as unknown as tf.NamedTensorInfoMap;
        if (arrays.length <= MAX_INPUTS) return addN.kernelFunc({ ...call, inputs }) as tf.TensorInfo;
        const first = sumOf(arrays.slice(0, MAX_INPUTS));
        const sum = sumOf([first, ...arrays.slice(MAX_INPUTS)]);
        release(first);
        return sum;
      };
      return sumOf(call.inputs as unknown as tf.TensorInfo[]);
    },
  });
}
