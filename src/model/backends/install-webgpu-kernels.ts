import * as tf from '@tensorflow/tfjs-core';
import { registerWebgpuDeformableAttention } from './kernels/register-webgpu-deformable-attention.js';
import { registerWebgpuDropout } from './kernels/register-webgpu-dropout.js';

import { registerWebgpuOptimizer } from './kernels/register-webgpu-optimizer.js';
import { registerWebgpuProducts } from './kernels/register-webgpu-products.js';
import { registerWebgpuSegmentSum } from './kernels/register-webgpu-segment-sum.js';
import { repairWebgpuKernels } from './kernels/repair-webgpu-kernels.js';

/** Registers kernels that the running WebGPU backend lacks, and replaces those that are wrong. */
export function installWebgpuKernels(): void {
  if (tf.getKernel('RelflowDeformableAttention', 'webgpu')) return;
  registerWebgpuDeformableAttention();
  registerWebgpuDropout();
  registerWebgpuSegmentSum();
  registerWebgpuOptimizer();
  registerWebgpuProducts();
  repairWebgpuKernels();
}
