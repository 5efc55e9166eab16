import * as tf from '@tensorflow/tfjs-core';
import { shapeSize } from './shape-size.js';
import { releaseWebgpuBuffer } from './webgpu-program.js';

/** Value of `WEBGPU_MATMUL_PROGRAM_TYPE` that selects the tiled matrix product, which sums each element on one thread. */
const TILED_MATMUL = 3;

/**
 * Replaces kernels of the backend that are wrong, and selects the tiled matrix product, since the default adds parts of long
 * products of small matrices in the order in which threads finish.
 */
export function repairWebgpuKernels(): void {
  tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', TILED_MATMUL);
  repairPad();
  repairSum();
}

/** Unregisters a kernel of the backend and returns it. */
function takeKernel(kernelName: string): tf.KernelConfig {
  const kernel = tf.getKernel(kernelName, 'webgpu')!;
  tf.unregisterKernel(kernelName, 'webgpu');
  return kernel;
}

/**
 * Replaces padding: the backend's kernel is not valid WGSL for more than four axes. These are padded one axis at a time, with
 * the axes before it and those after it merged into one each.
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
        // A new tensor must be created even if no axis is padded.
        if (padding[0] + padding[1] === 0 && (made !== x || axis < paddings.length - 1)) continue;
        const parts = [shapeSize(shape.slice(0, axis)), shape[axis]!, shapeSize(shape.slice(axis + 1))];
        const padded = pad.kernelFunc({
          ...call,
          inputs: { x: { ...made, shape: parts } },
          attrs: { paddings: [[0, 0], padding, [0, 0]], constantValue } as unknown as tf.NamedAttrMap,
        }) as tf.TensorInfo;
        if (made !== x) releaseWebgpuBuffer(made);
        shape[axis]! += padding[0] + padding[1];
        made = padded;
      }
      return { ...made, shape };
    },
  });
}

/** Number of arrays that a program can read on every device. */
const MAX_INPUTS = 7;

/** Replaces the sum of arrays, which the backend computes in one program even if that exceeds the device's limit. */
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
        releaseWebgpuBuffer(first);
        return sum;
      };
      return sumOf(call.inputs as unknown as tf.TensorInfo[]);
    },
  });
}
