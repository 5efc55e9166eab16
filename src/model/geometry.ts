import * as tf from '@tensorflow/tfjs-core';
import type { LevelSize } from './ops/deformable-attention.js';
import { sinePositions } from './ops/sine-positions.js';

const round = Math.fround;

/** Images of one batch, each in the top left corner of the batch's canvas, zeros to the right and below. */
export interface ImageBatch {
  /** Normalised, `[batch, height, width, 3]`. */
  readonly pixels: tf.Tensor4D;
  /** How much of the canvas each image fills, in pixels. */
  readonly sizes: readonly LevelSize[];
}

/** A feature level of a batch: its size in cells, and how many of them each image fills. */
export interface Level extends LevelSize {
  readonly validSizes: readonly LevelSize[];
}

/**
 * @param size of the level in cells
 * @param canvas of the batch in pixels
 * @param images how much of the canvas each image fills
 */
export function levelOf(size: LevelSize, canvas: LevelSize, images: readonly LevelSize[]): Level {
  // A cell belongs to the image if the pixel that PyTorch's nearest resize takes for it does.
  const validCells = (cells: number, pixels: number, extent: number) => {
    const scale = Math.fround(pixels / cells);
    let count = 0;
    while (count < cells && Math.floor(Math.fround(count * scale)) < extent) count++;
    return count;
  };
  return {
    ...size,
    validSizes: images.map(({ height, width }) => ({
      height: validCells(size.height, canvas.height, height),
      width: validCells(size.width, canvas.width, width),
    })),
  };
}

/** Where the tokens of a batch's levels lie. */
export interface Geometry {
  readonly levels: readonly Level[];
  readonly batch: number;
  readonly tokens: number;
  /** `[batch, levels, 2]`: which part of each level each image fills, along x and y. */
  readonly validRatios: tf.Tensor3D;
  /** `[batch, tokens, levels, 2]`: each token's centre on each level, as x and y in [0, 1] of the canvas. */
  readonly referencePoints: tf.Tensor4D;
  /** Sine position of each token, `[batch, tokens, width]`. */
  readonly positions: tf.Tensor3D;
  /** `[batch, tokens, 1]`, 1 at cells of an image; null where no image is padded. */
  readonly validMask: tf.Tensor3D | null;
}

/**
 * @param width channels of the positions
 * @param shift see `sinePositions`
 */
export function geometryOf(levels: readonly Level[], width: number, shift: number): Geometry {
  const batch = levels[0]!.validSizes.length;
  const tokens = levels.reduce((sum, level) => sum + level.height * level.width, 0);
  const ratios = new Float32Array(batch * levels.length * 2);
  const referencePoints = new Float32Array(batch * tokens * levels.length * 2);
  const positions = new Float32Array(batch * tokens * width);
  const validMask = new Float32Array(batch * tokens).fill(0);
  for (let image = 0; image < batch; image++)
    for (const [k, level] of levels.entries()) {
      ratios[2 * (image * levels.length + k)] = level.validSizes[image]!.width / level.width;
      ratios[2 * (image * levels.length + k) + 1] = level.validSizes[image]!.height / level.height;
    }
  let token = 0;
  for (let image = 0; image < batch; image++)
    for (const level of levels) {
      const validSize = level.validSizes[image]!;
      positions.set(sinePositions(level, validSize, width, shift), token * width);
      for (let row = 0; row < level.height; row++)
        for (let column = 0; column < level.width; column++, token++) {
          const [x, y] = [round((column + 0.5) / validSize.width), round((row + 0.5) / validSize.height)];
          for (let k = 0; k < levels.length; k++) {
            const ratio = 2 * (image * levels.length + k);
            referencePoints[2 * (token * levels.length + k)] = x * ratios[ratio]!;
            referencePoints[2 * (token * levels.length + k) + 1] = y * ratios[ratio + 1]!;
          }
          if (row < validSize.height && column < validSize.width) validMask[token] = 1;
        }
    }
  return {
    levels,
    batch,
    tokens,
    validRatios: tf.tensor3d(ratios, [batch, levels.length, 2]),
    referencePoints: tf.tensor4d(referencePoints, [batch, tokens, levels.length, 2]),
    positions: tf.tensor3d(positions, [batch, tokens, width]),
    validMask: validMask.includes(0) ? tf.tensor3d(validMask, [batch, tokens, 1]) : null,
  };
}
