// Written by `npm run build:kernels`: do not edit.

/** Functions that training-kernels.as.ts exports; arrays and structs are addresses. */
export interface TrainingKernelExports {
  adamStep(
    length: number,
    values: number,
    gradients: number,
    mean: number,
    square: number,
    scale: number,
    beta1: number,
    beta2: number,
    rate: number,
    correction: number,
    epsilon: number,
    keep: number,
  ): void;
  addRows(rows: number, width: number, x: number, y: number): void;
  attend(length: number, heads: number, width: number, qkv: number, weights: number, y: number): void;
  attendBackward(
    length: number,
    heads: number,
    width: number,
    qkv: number,
    weights: number,
    dy: number,
    dqkv: number,
    scratch: number,
  ): void;
  gelu(x: number, y: number, length: number): void;
  geluBackward(x: number, dy: number, dx: number, length: number): void;
  normalize(
    rows: number,
    width: number,
    x: number,
    gain: number,
    bias: number,
    epsilon: number,
    y: number,
    normal: number,
    inverse: number,
  ): void;
  normalizeBackward(
    rows: number,
    width: number,
    normal: number,
    inverse: number,
    gain: number,
    dy: number,
    dx: number,
    dgain: number,
    dbias: number,
  ): void;
  squares(x: number, length: number): number;
  transpose(rows: number, columns: number, x: number, y: number): void;
}
