import * as tf from '@tensorflow/tfjs-core';
import { registerWebgpuDeformableAttention } from './kernels/webgpu-deformable-attention.js';
import { repairWebgpuPad } from './kernels/webgpu-pad.js';

/** Puts in what the WebGPU backend lacks or does wrong. Called once it runs. */
export function installWebgpuKernels(): void {
  if (tf.getKernel('RelflowDeformableAttention', 'webgpu')) return;
  registerWebgpuDeformableAttention();
  repairWebgpuPad();
}
