import type * as tf from '@tensorflow/tfjs-core';
import type { LevelSize } from './ops/deformable-attention.js';
import { sinePositions } from './ops/sine-positions.js';
import { dataTensor, isPaddingRecorded } from './recording/data-tensor.js';

const round = Math.fround;

/** Images of one batch. Each is in the top left corner of a common canvas, padded with zeros to the right and below. */
export interface ImageBatch {
  /** Normalized pixels, `[batch, height, width, 3]`. */
  readonly pixels: tf.Tensor4D;
  /** Size of each image in pixels, without padding. */
  readonly sizes: readonly LevelSize[];
}

/** Feature level of a batch. Its size is in cells. */
export interface Level extends LevelSize {
  /** Number of rows and columns that each image covers, without padding. */
  readonly validSizes: readonly LevelSize[];
}

/**
 * Computes which cells of a level belong to each image.
 * @param size size of the level in cells
 * @param canvas size of the batch's canvas in pixels
 * @param images sizes of the images in pixels
 *
 * Source: DETR, which resizes the padding mask with nearest-neighbor interpolation.
 */
export function geometryLevel(size: LevelSize, canvas: LevelSize, images: readonly LevelSize[]): Level {
  // A cell belongs to the image if the pixel that PyTorch's nearest-neighbor resize selects for it does.
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

/** Levels and padding of the tokens of a batch, which decoders read. */
export interface MemoryGeometry {
  readonly levels: readonly Level[];
  /** Number of images. */
  readonly batch: number;
  /** Fraction of each level that each image covers, along x and y: `[batch, levels, 2]`. */
  readonly validRatios: tf.Tensor3D;
  /** 1 for cells of the image, 0 for padding, `[batch, tokens, 1]`; null when no image is padded. */
  readonly validMask: tf.Tensor3D | null;
}

/** Positions, reference points and padding of the tokens of a batch. */
export interface Geometry extends MemoryGeometry {
  /** Total number of tokens of all levels. */
  readonly tokens: number;
  /** Center of each token on each level, x and y in [0, 1] of the canvas: `[batch, tokens, levels, 2]`. */
  readonly referencePoints: tf.Tensor4D;
  /** Sine positional encoding of each token, `[batch, tokens, width]`. */
  readonly positions: tf.Tensor3D;
}

/**
 * Computes positions, reference points and padding masks of all tokens.
 * @param width channels of the positional encoding
 * @param shift see `sinePositions`
 *
 * Source: Deformable DETR, `get_valid_ratio` and `get_reference_points`.
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
    validRatios: dataTensor('geometry.validRatios', ratios, [batch, levels.length, 2]),
    referencePoints: dataTensor('geometry.referencePoints', referencePoints, [batch, tokens, levels.length, 2]),
    positions: dataTensor('geometry.positions', positions, [batch, tokens, width]),
    validMask:
      isPaddingRecorded() || validMask.includes(0) ? dataTensor('geometry.valid', validMask, [batch, tokens, 1]) : null,
  };
}
