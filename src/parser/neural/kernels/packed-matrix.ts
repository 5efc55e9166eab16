import { type Kernels, mostInputs } from './kernels.js';

/** A matrix and a bias as `Kernels.linearWhole` multiplies with them. */
export interface PackedMatrix {
  readonly inputs: number;
  readonly outputs: number;
  /** `[outputs / 8, inputs / 2, 8, 2]`: two inputs of eight outputs lie side by side. */
  readonly whole: Int16Array;
  /** `[outputs]`: what a column's whole numbers are multiplied with. */
  readonly scales: Float32Array;
  /** `[outputs]` */
  readonly bias: Float32Array;
}

/** 12 bits with a sign: sums of 512 products fit in 32 bits. */
const largestWhole = 2047;

/**
 * @param w `[inputs, outputs]`, multiples of 8
 * @throws RangeError for more inputs than the sums have room for
 */
export function packMatrix(
  kernels: Kernels,
  inputs: number,
  outputs: number,
  w: Float32Array,
  bias: Float32Array | null,
): PackedMatrix {
  if (inputs > mostInputs) throw new RangeError(`a matrix of ${inputs} inputs, at most ${mostInputs} can be packed`);
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
