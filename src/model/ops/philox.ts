/** Four words of 32 bits, as non-negative numbers. */
export type Words = readonly [number, number, number, number];

/** Multiplies two words. @returns the high and the low word of the product */
function product(a: number, b: number): readonly [number, number] {
  const wide = BigInt(a) * BigInt(b);
  return [Number(wide >> 32n), Number(wide & 0xffffffffn)];
}

/**
 * The random number generator Philox 4×32-10: encrypts a counter with a key, so that every number can be computed alone.
 * Source: Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3".
 */
export function philox([c0, c1, c2, c3]: Words, [key0, key1]: readonly [number, number]): Words {
  let words: Words = [c0, c1, c2, c3];
  let [k0, k1] = [key0, key1];
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = product(0xd2511f53, words[0]);
    const [high1, low1] = product(0xcd9e8d57, words[2]);
    words = [(high1 ^ words[1] ^ k0) >>> 0, low1, (high0 ^ words[3] ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return words;
}

const SCRAMBLING_KEY = [0x3ec8f720, 0x02461e29] as const;

/**
 * Random numbers of 23 bits, the same as those that TensorFlow's `StatelessRandomUniform` divides by 2²³.
 * @param seed from 0 to 2³¹ − 1, as `index`
 * @param count how many numbers
 */
export function statelessBits(seed: number, index: number, count: number): Uint32Array {
  const [k0, k1, c2, c3] = philox([seed, 0, index, 0], SCRAMBLING_KEY);
  const bits = new Uint32Array(count);
  for (let first = 0; first < count; first += 4) {
    const words = philox([first / 4, 0, c2, c3], [k0, k1]);
    for (let k = 0; k < 4 && first + k < count; k++) bits[first + k] = words[k]! & 0x7fffff;
  }
  return bits;
}
