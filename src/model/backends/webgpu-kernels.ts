import * as tf from '@tensorflow/tfjs-core';
import { registerWebgpuDeformableAttention } from './kernels/webgpu-deformable-attention.js';
import { registerWebgpuOptimizer } from './kernels/webgpu-optimizer.js';
import { repairWebgpuKernels } from './kernels/webgpu-repairs.js';
import { registerWebgpuSegmentSum } from './kernels/webgpu-segment-sum.js';

/** Puts in what the WebGPU backend lacks or does wrong. Called once it runs. */
export function installWebgpuKernels(): void {
  if (tf.getKernel('RelflowDeformableAttention', 'webgpu')) return;
  registerWebgpuDeformableAttention();
  registerWebgpuSegmentSum();
  registerWebgpuOptimizer();
  repairWebgpuKernels();
}
