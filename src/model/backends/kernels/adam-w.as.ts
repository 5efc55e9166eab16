// AssemblyScript, not TypeScript: see model-kernels.as.ts.
import { partStart } from './gemm.as';

/**
 * Computes one AdamW step: Adam with decoupled weight decay (see training/optimizer/adam-w.ts). Arrays have `count` floats.
 * @param first first moment; second: second moment
 * @param scale factor of the gradient
 * @param rate learning rate divided by the bias correction of the first moment
 * @param correction square root of the bias correction of the second moment
 * @param keep 1 − learning rate · weight decay
 */
export function adamW(
  weights: usize, gradients: usize, first: usize, second: usize, newWeights: usize, newFirst: usize, newSecond: usize, count: i32,
  scale: f32, beta1: f32, beta2: f32, rate: f32, correction: f32, epsilon: f32, keep: f32,
  thread: i32, threads: i32,
): void {
  const end = <usize>partStart(count, 4, thread + 1, threads) << 2;
  let d = <usize>partStart(count, 4, thread, threads) << 2;
  const rest1: f32 = <f32>1 - beta1, rest2: f32 = <f32>1 - beta2;
  const inverse: f32 = <f32>1 / correction;
  for (; d + 16 <= end; d += 16) {
    const gradient = f32x4.mul(v128.load(gradients + d), f32x4.splat(scale));
    const newM = f32x4.add(f32x4.mul(v128.load(first + d), f32x4.splat(beta1)), f32x4.mul(gradient, f32x4.splat(rest1)));
    const newV = f32x4.add(
      f32x4.mul(v128.load(second + d), f32x4.splat(beta2)),
      f32x4.mul(f32x4.mul(gradient, gradient), f32x4.splat(rest2)),
    );
    v128.store(newFirst + d, newM);
    v128.store(newSecond + d, newV);
    const denominator = f32x4.add(f32x4.mul(f32x4.sqrt(newV), f32x4.splat(inverse)), f32x4.splat(epsilon));
    const update = f32x4.mul(f32x4.div(newM, denominator), f32x4.splat(rate));
    v128.store(newWeights + d, f32x4.sub(f32x4.mul(v128.load(weights + d), f32x4.splat(keep)), update));
  }
  for (; d < end; d += 4) {
    const gradient = load<f32>(gradients + d) * scale;
    const newM = load<f32>(first + d) * beta1 + gradient * rest1;
    const newV = load<f32>(second + d) * beta2 + gradient * gradient * rest2;
    store<f32>(newFirst + d, newM);
    store<f32>(newSecond + d, newV);
    store<f32>(newWeights + d, load<f32>(weights + d) * keep - (newM / (Mathf.sqrt(newV) * inverse + epsilon)) * rate);
  }
}
