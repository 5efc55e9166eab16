import * as tf from '@tensorflow/tfjs-core';
import { registerWebgpuDeformableAttention } from './kernels/register-webgpu-deformable-attention.js';
import { registerWebgpuOptimizer } from './kernels/register-webgpu-optimizer.js';
import { registerWebgpuSegmentSum } from './kernels/register-webgpu-segment-sum.js';
import { repairWebgpuKernels } from './kernels/repair-webgpu-kernels.js';

/** Puts in what the WebGPU backend lacks or does wrong. Called once it runs. */
export function installWebgpuKernels(): void {
  if (tf.getKernel('RelflowDeformableAttention', 'webgpu')) return;
  registerWebgpuDeformableAttention();
  registerWebgpuSegmentSum();
  registerWebgpuOptimizer();
  repairWebgpuKernels();
}
