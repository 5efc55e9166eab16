import * as tf from '@tensorflow/tfjs-core';
import { product, release } from './webgpu-program.js';

/**
 * The backend's own padding is not valid WGSL beyond four axes. There axes are padded one after the other, each between
 * those before and those after it as one.
 */
export function repairWebgpuPad(): void {
  const pad = tf.getKernel('PadV2', 'webgpu')!;
  tf.unregisterKernel('PadV2', 'webgpu');
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
