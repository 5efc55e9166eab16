// AssemblyScript, not TypeScript: see model-kernels.as.ts.
import { partStart } from './gemm.as';

/** State of the generator Philox 4×32: a counter of four words. The key is passed along, since it grows each round. */
let c0: u32, c1: u32, c2: u32, c3: u32;

/** Encrypts the counter in place with ten rounds. Source: Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3". */
// @ts-ignore: decorator
@inline
function philox(key0: u32, key1: u32): void {
  let k0 = key0, k1 = key1;
  for (let round = 0; round < 10; round++) {
    const a = <u64>0xd2511f53 * <u64>c0;
    const b = <u64>0xcd9e8d57 * <u64>c2;
    c0 = <u32>(b >> 32) ^ c1 ^ k0;
    c2 = <u32>(a >> 32) ^ c3 ^ k1;
    c1 = <u32>b;
    c3 = <u32>a;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
}

/**
 * Dropout, see model/ops/dropout.ts: the mask is a function of seed, index and position alone.
 * @param seed address of the seed, a 32-bit integer
 * @param threshold numbers of 23 random bits below it drop their element
 * @param scale factor of the kept elements
 */
export function dropout(
  x: usize, seed: usize, to: usize, count: i32, index: i32, threshold: u32, scale: f32,
  thread: i32, threads: i32,
): void {
  c0 = load<u32>(seed);
  c1 = 0;
  c2 = index;
  c3 = 0;
  philox(0x3ec8f720, 0x02461e29);
  const k0 = c0, k1 = c1, high2 = c2, high3 = c3;
  const end = partStart(count, 4, thread + 1, threads);
  let first = partStart(count, 4, thread, threads);
  const thresholds = i32x4.splat(threshold), scales = f32x4.splat(scale);
  const m0 = i32x4.splat(0xd2511f53), m1 = i32x4.splat(0xcd9e8d57), low23 = i32x4.splat(0x7fffff);
  // Four counters at once: lane j belongs to the j-th group of four elements.
  for (; first + 16 <= end; first += 16) {
    let v0 = i32x4.add(i32x4.splat(first >> 2), i32x4(0, 1, 2, 3));
    let v1 = i32x4.splat(0), v2 = i32x4.splat(high2), v3 = i32x4.splat(high3);
    let r0 = i32x4.splat(k0), r1 = i32x4.splat(k1);
    for (let round = 0; round < 10; round++) {
      const a = i64x2.extmul_low_i32x4_u(v0, m0), b = i64x2.extmul_high_i32x4_u(v0, m0);
      const c = i64x2.extmul_low_i32x4_u(v2, m1), d = i64x2.extmul_high_i32x4_u(v2, m1);
      const newV0 = v128.xor(v128.xor(v128.shuffle<i32>(c, d, 1, 3, 5, 7), v1), r0);
      const newV2 = v128.xor(v128.xor(v128.shuffle<i32>(a, b, 1, 3, 5, 7), v3), r1);
      v1 = v128.shuffle<i32>(c, d, 0, 2, 4, 6);
      v3 = v128.shuffle<i32>(a, b, 0, 2, 4, 6);
      v0 = newV0;
      v2 = newV2;
      r0 = i32x4.add(r0, i32x4.splat(0x9e3779b9));
      r1 = i32x4.add(r1, i32x4.splat(0xbb67ae85));
    }
    // Transposes, so that the four words of a counter are next to each other.
    const t0 = v128.shuffle<i32>(v0, v1, 0, 4, 1, 5), t1 = v128.shuffle<i32>(v2, v3, 0, 4, 1, 5);
    const t2 = v128.shuffle<i32>(v0, v1, 2, 6, 3, 7), t3 = v128.shuffle<i32>(v2, v3, 2, 6, 3, 7);
    const from = x + (<usize>first << 2), out = to + (<usize>first << 2);
    const w0 = v128.shuffle<i32>(t0, t1, 0, 1, 4, 5), w1 = v128.shuffle<i32>(t0, t1, 2, 3, 6, 7);
    const w2 = v128.shuffle<i32>(t2, t3, 0, 1, 4, 5), w3 = v128.shuffle<i32>(t2, t3, 2, 3, 6, 7);
    v128.store(out, v128.and(f32x4.mul(v128.load(from), scales), i32x4.ge_s(v128.and(w0, low23), thresholds)));
    v128.store(out, v128.and(f32x4.mul(v128.load(from, 16), scales), i32x4.ge_s(v128.and(w1, low23), thresholds)), 16);
    v128.store(out, v128.and(f32x4.mul(v128.load(from, 32), scales), i32x4.ge_s(v128.and(w2, low23), thresholds)), 32);
    v128.store(out, v128.and(f32x4.mul(v128.load(from, 48), scales), i32x4.ge_s(v128.and(w3, low23), thresholds)), 48);
  }
  for (; first < end; first += 4) {
    c0 = first >> 2;
    c1 = 0;
    c2 = high2;
    c3 = high3;
    philox(k0, k1);
    const from = x + (<usize>first << 2), out = to + (<usize>first << 2);
    const rest = end - first;
    store<f32>(out, (c0 & 0x7fffff) >= threshold ? load<f32>(from) * scale : 0);
    if (rest > 1) store<f32>(out, (c1 & 0x7fffff) >= threshold ? load<f32>(from, 4) * scale : 0, 4);
    if (rest > 2) store<f32>(out, (c2 & 0x7fffff) >= threshold ? load<f32>(from, 8) * scale : 0, 8);
    if (rest > 3) store<f32>(out, (c3 & 0x7fffff) >= threshold ? load<f32>(from, 12) * scale : 0, 12);
  }
}
