import { maxPackedInputs, type PackedMatrix } from './packed-matrix.js';
import type { ParserKernels } from './parser-kernels.js';

/** The largest 12-bit integer with a sign: sums of 512 products of two fit in 32 bits. */
const maxInteger = 2047;

/**
 * Quantizes a matrix to 12-bit integers, each column with its own scale.
 * @param w `[inputs, outputs]`, both multiples of 8
 * @throws RangeError for more than 512 inputs, whose sums could overflow
 */
export function packMatrix(
  kernels: ParserKernels,
  inputs: number,
  outputs: number,
  w: Float32Array,
  bias: Float32Array | null,
): PackedMatrix {
  if (inputs > maxPackedInputs)
    throw new RangeError(`packMatrix: ${inputs} inputs, expected at most ${maxPackedInputs}`);
  const weights = kernels.shorts(inputs * outputs);
  const scales = kernels.floats(outputs);
  for (let j = 0; j < outputs; j++) {
    let largest = 1e-30;
    for (let i = 0; i < inputs; i++) largest = Math.max(largest, Math.abs(w[i * outputs + j]!));
    scales[j] = largest / maxInteger;
    for (let i = 0; i < inputs; i++) {
      const at = ((Math.floor(j / 8) * (inputs / 2) + (i >> 1)) * 8 + (j % 8)) * 2 + (i & 1);
      weights[at] = Math.round((w[i * outputs + j]! / largest) * maxInteger);
    }
  }
  const offsets = kernels.floats(outputs);
  if (bias) offsets.set(bias);
  return { inputs, outputs, weights, scales, bias: offsets };
}
