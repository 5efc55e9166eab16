/** Returns the number of elements of a tensor of this shape. */
export const shapeSize = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);
