// AssemblyScript, not TypeScript: part of parser-kernels.as.ts and training-kernels.as.ts.

/**
 * Returns e to the power of four x ≤ 0, within 2e-7 by Cephes' polynomial. The model's (src/model/backends/kernels/rows.as.ts) also
 * takes other x, NaN and −∞, which costs a few more operations and rounds the last digit in another way.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const z = f32x4.max(x, f32x4.splat(-80));
  const n = f32x4.nearest(f32x4.mul(z, f32x4.splat(1.44269504)));
  const r = f32x4.sub(f32x4.sub(z, f32x4.mul(n, f32x4.splat(0.693359375))), f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(1.9875691e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.333452e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665796e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1));
  return f32x4.mul(p, i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23));
}
