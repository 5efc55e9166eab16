import { RecordError } from '../../errors.js';
import type { LevelSize } from '../ops/deformable-attention.js';

/**
 * Computes the size to which an image is resized, which keeps its aspect ratio: the shorter side gets the length `shorter`,
 * unless the longer side would exceed `longest`.
 * @param shorter length of the shorter side in pixels, default 800
 * @param longest limit of the longer side in pixels, default 1333
 * @param file named in the error
 * @returns height and width in pixels; the longer side may exceed `longest` by one pixel, as in the official code
 * @throws RecordError (`image-too-thin`) if the shorter side would have no pixel, in which case a model sees nothing
 *
 * Source: DETR, datasets/transforms.py, `get_size_with_aspect_ratio`.
 */
export function targetSize({ height, width }: LevelSize, shorter = 800, longest = 1333, file = 'the image'): LevelSize {
  const [short, long] = [Math.min(height, width), Math.max(height, width)];
  const side = (long / short) * shorter > longest ? roundHalfEven((longest * short) / long) : shorter;
  if (side < 1) {
    throw new RecordError(
      'image-too-thin',
      `${file}: has ${width} x ${height} pixels, of which the shorter side vanishes when the longer one is resized to ${longest}, expected at most ${2 * longest - 1} times the length of the shorter side`,
      { width, height, longest },
    );
  }
  if (short === side) return { height, width };
  return width < height
    ? { height: Math.trunc((side * height) / width), width: side }
    : { height: side, width: Math.trunc((side * width) / height) };
}

/** Rounds half to even, as Python's `round` does. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}
