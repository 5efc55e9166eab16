// AssemblyScript, not TypeScript: see model-kernels.as.ts.
import { share } from './gemm.as';

/**
 * One step of Adam with decoupled weight decay, of a weight, its gradient and both moments: see training/adam-w.ts.
 * @param scale of the gradient
 * @param rate over the first moment's correction
 * @param correction root of the second moment's
 * @param keep 1 − rate · decay
 */
export function adamW(
  p: usize, g: usize, m: usize, v: usize, newP: usize, newM: usize, newV: usize, count: i32,
  scale: f32, beta1: f32, beta2: f32, rate: f32, correction: f32, epsilon: f32, keep: f32,
  thread: i32, threads: i32,
): void {
  const end = <usize>share(count, 4, thread + 1, threads) << 2;
  let d = <usize>share(count, 4, thread, threads) << 2;
  const rest1: f32 = <f32>1 - beta1, rest2: f32 = <f32>1 - beta2;
  const inverse: f32 = <f32>1 / correction;
  for (; d + 16 <= end; d += 16) {
    const gradient = f32x4.mul(v128.load(g + d), f32x4.splat(scale));
    const first = f32x4.add(f32x4.mul(v128.load(m + d), f32x4.splat(beta1)), f32x4.mul(gradient, f32x4.splat(rest1)));
    const second = f32x4.add(
      f32x4.mul(v128.load(v + d), f32x4.splat(beta2)),
      f32x4.mul(f32x4.mul(gradient, gradient), f32x4.splat(rest2)),
    );
    v128.store(newM + d, first);
    v128.store(newV + d, second);
    const spread = f32x4.add(f32x4.mul(f32x4.sqrt(second), f32x4.splat(inverse)), f32x4.splat(epsilon));
    const change = f32x4.mul(f32x4.div(first, spread), f32x4.splat(rate));
    v128.store(newP + d, f32x4.sub(f32x4.mul(v128.load(p + d), f32x4.splat(keep)), change));
  }
  for (; d < end; d += 4) {
    const gradient = load<f32>(g + d) * scale;
    const first = load<f32>(m + d) * beta1 + gradient * rest1;
    const second = load<f32>(v + d) * beta2 + gradient * gradient * rest2;
    store<f32>(newM + d, first);
    store<f32>(newV + d, second);
    store<f32>(newP + d, load<f32>(p + d) * keep - (first / (Mathf.sqrt(second) * inverse + epsilon)) * rate);
  }
}
