/** Most inputs of a packed matrix. */
export const maxPackedInputs = 512;

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
