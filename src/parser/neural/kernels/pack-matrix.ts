import { maxPackedInputs, type PackedMatrix } from './packed-matrix.js';
import type { ParserKernels } from './parser-kernels.js';

/** 12 bits with a sign: sums of 512 products fit in 32 bits. */
const largestWhole = 2047;

/**
 * @param w `[inputs, outputs]`, multiples of 8
 * @throws RangeError for more inputs than the sums have room for
 */
export function packMatrix(
  kernels: ParserKernels,
  inputs: number,
  outputs: number,
  w: Float32Array,
  bias: Float32Array | null,
): PackedMatrix {
  if (inputs > maxPackedInputs)
    throw new RangeError(`a matrix of ${inputs} inputs, at most ${maxPackedInputs} can be packed`);
  const whole = kernels.shorts(inputs * outputs);
  const scales = kernels.floats(outputs);
  for (let j = 0; j < outputs; j++) {
    let largest = 1e-30;
    for (let i = 0; i < inputs; i++) largest = Math.max(largest, Math.abs(w[i * outputs + j]!));
    scales[j] = largest / largestWhole;
    for (let i = 0; i < inputs; i++) {
      const at = ((Math.floor(j / 8) * (inputs / 2) + (i >> 1)) * 8 + (j % 8)) * 2 + (i & 1);
      whole[at] = Math.round((w[i * outputs + j]! / largest) * largestWhole);
    }
  }
  const offsets = kernels.floats(outputs);
  if (bias) offsets.set(bias);
  return { inputs, outputs, whole, scales, bias: offsets };
}
