import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from '../../model/ops/custom-kernel.js';

/** Computes the L2 norm of all gradients as one vector; NaN if one of their numbers is NaN. */
export async function gradientNorm(gradients: Readonly<Record<string, tf.Tensor>>): Promise<number> {
  if (hasKernel('RelflowGlobalNorm') && Object.keys(gradients).length > 0) {
    const norm = runKernel('RelflowGlobalNorm', gradients)[0]!;
    const [value] = (await norm.data()) as Float32Array;
    norm.dispose();
    return value!;
  }
  const squares = tf.tidy(() => {
    const sums = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
    return sums.length > 0 ? tf.stack(sums) : tf.zeros([1]);
  });
  const values = (await squares.data()) as Float32Array;
  squares.dispose();
  return Math.sqrt(values.reduce((sum, value) => sum + value, 0));
}

/**
 * Returns the factor that scales gradients down to a norm of at most `maxNorm`, as PyTorch's `clip_grad_norm_`.
 * @param norm see `gradientNorm`
 * @param maxNorm 0 disables clipping
 */
export const clipFactor = (norm: number, maxNorm: number): number =>
  maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1;
