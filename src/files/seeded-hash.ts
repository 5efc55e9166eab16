import { randomBytes } from 'node:crypto';

/** The secret of this process: a file made without it cannot choose keys whose hashes are equal. */
const secret = new Int32Array(new Uint8Array(randomBytes(8)).buffer);
const [k0, k1] = [secret[0]!, secret[1]!];

/**
 * Hashes 32-bit words to a number from 0 to 2^32 - 1. The seed differs in each process, so that a file cannot make its
 * keys collide; nothing that is written may depend on the hash. Source: HalfSipHash-1-3.
 */
function seededHash(words: Int32Array, length: number = words.length): number {
  let v0 = k0;
  let v1 = k1;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  // The words, their number, and the three rounds of the end, for which 0xff enters the state once.
  for (let i = 0; i < length + 4; i++) {
    const word = i < length ? words[i]! : i === length ? length << 24 : 0;
    if (i === length + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = (v1 << 5) | (v1 >>> 27);
    v1 ^= v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = (v3 << 8) | (v3 >>> 24);
    v3 ^= v2;
    v0 = (v0 + v3) | 0;
    v3 = (v3 << 7) | (v3 >>> 25);
    v3 ^= v0;
    v2 = (v2 + v1) | 0;
    v1 = (v1 << 13) | (v1 >>> 19);
    v1 ^= v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return (v1 ^ v3) >>> 0;
}

/** Hashes bytes, as `seededHash` does. */
export function seededHashOfBytes(bytes: Uint8Array): number {
  const count = (bytes.length >> 2) + 1;
  if (count > scratch.length) scratch = new Int32Array(count * 2);
  let at = 0;
  for (let i = 0; i + 1 < count; i++, at += 4)
    scratch[i] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  // The last word has the bytes that are left and their number.
  let last = (bytes.length & 3) << 24;
  for (let k = 0; at < bytes.length; k += 8, at++) last |= bytes[at]! << k;
  scratch[count - 1] = last;
  return seededHash(scratch, count);
}

let scratch = new Int32Array(64);

const numbers = new Float64Array(5);
const numberWords = new Int32Array(numbers.buffer);

/** Hashes a number by its bits, as `seededHash` does; 0 and -0 are equal. */
export function seededHashOfNumber(value: number): number {
  numbers[0] = value + 0;
  return seededHash(numberWords, 2);
}

/** Hashes a number and a box, as `seededHashOfNumber` does. */
export function seededHashOfBox(value: number, [x, y, w, h]: readonly [number, number, number, number]): number {
  numbers[0] = value + 0;
  numbers[1] = x + 0;
  numbers[2] = y + 0;
  numbers[3] = w + 0;
  numbers[4] = h + 0;
  return seededHash(numberWords, 10);
}
