import type { RgbImage } from '../../src/model/image/resize.js';
import type { TrainingSample } from '../../src/training/data/training-sample.js';

/** Makes an image whose pixels all differ from their neighbors. */
export const imageOf = (width: number, height: number): RgbImage => ({
  width,
  height,
  data: Uint8Array.from({ length: 3 * width * height }, (_, k) => (k * 37) % 251),
});

/** Two related boxes on an image of 60 × 40 pixels; one predicate depends on left and right. */
export const sample: TrainingSample = {
  image: { id: 1, file: '1.jpg', width: 60, height: 40, dataset: 'test', split: '' },
  boxes: [
    [0, 0, 10, 20],
    [30, 10, 30, 30],
  ],
  categories: ['dog', 'horse'],
  pairs: [{ subject: 0, object: 1, predicates: ['to the left of', 'near'] }],
};
