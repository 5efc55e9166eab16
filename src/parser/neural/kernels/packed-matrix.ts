/** Most inputs of a packed matrix. */
export const maxPackedInputs = 512;

/** A matrix and a bias in the form that `ParserKernels.quantizedLinear` takes. */
export interface PackedMatrix {
  readonly inputs: number;
  readonly outputs: number;
  /** `[outputs / 8, inputs / 2, 8, 2]`: pairs of inputs of eight outputs, in 12-bit integers. */
  readonly weights: Int16Array;
  /** `[outputs]`: the scale of each column's integers. */
  readonly scales: Float32Array;
  /** `[outputs]` */
  readonly bias: Float32Array;
}
