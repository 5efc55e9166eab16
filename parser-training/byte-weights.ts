/** Returns weights as bytes, in units of 1 / scale; larger ones are cut off. */
export const byteWeights = (weights: Float64Array, scale: number): Int8Array =>
  Int8Array.from(weights, (weight) => Math.max(-127, Math.min(127, Math.round(weight * scale))));
