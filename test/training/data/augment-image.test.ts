import assert from 'node:assert/strict';
import type { RgbImage } from '../../../src/model/image/resize.js';
import {
  type AugmentationOptions,
  augmentImage,
  resizedImage,
  swapLeftRight,
} from '../../../src/training/data/augment-image.js';
import { randomStream } from '../../../src/training/data/random-stream.js';
import { imageOf, sample } from '../../support/augmentation-sample.js';

describe('augmentImage', () => {
  it('mirrors boxes and pixels, and swaps the words left and right', () => {
    const flipOnly: AugmentationOptions = { flip: 1, colorJitter: 0, shorterSides: [40], maxSize: 100 };
    const image = imageOf(60, 40);
    const augmented = augmentImage(randomStream(1), image, sample, flipOnly);
    assert.deepEqual(augmented.sample.boxes, [
      [50, 0, 10, 20],
      [0, 10, 30, 30],
    ]);
    assert.deepEqual(augmented.sample.pairs[0]!.predicates, ['to the right of', 'near']);
    assert.deepEqual([...augmented.image.data.subarray(0, 3)], [...image.data.subarray(3 * 59, 3 * 60)]);
    assert.equal(swapLeftRight('on the left of a bright thing'), 'on the right of a bright thing');
  });

  it('resizes boxes with the image, also when the annotated size differs from the file', () => {
    const resizeOnly: AugmentationOptions = { flip: 0, colorJitter: 0, shorterSides: [20, 80], maxSize: 200 };
    const plain = resizedImage(imageOf(120, 80), sample, resizeOnly);
    assert.deepEqual([plain.image.width, plain.image.height], [120, 80]);
    assert.deepEqual(plain.sample.boxes[1], [60, 20, 60, 60]);
  });

  it('clips boxes to the crop, and removes those outside of it with their relations', () => {
    const cropping: AugmentationOptions = {
      flip: 0,
      colorJitter: 0,
      shorterSides: [16],
      maxSize: 99,
      crop: { probability: 1, shorterSides: [40], size: [12, 40] },
    };
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const { image, sample: remaining } = augmentImage(randomStream(seed), imageOf(60, 40), sample, cropping);
      seen.add(remaining.categories.join());
      assert.equal(remaining.boxes.length, remaining.categories.length);
      assert.equal(remaining.pairs.length, remaining.boxes.length === 2 ? 1 : 0);
      for (const [x, y, w, h] of remaining.boxes) {
        assert.ok(x >= 0 && y >= 0 && w > 0 && h > 0);
        assert.ok(x + w <= image.width + 1e-6 && y + h <= image.height + 1e-6);
      }
    }
    assert.deepEqual([...seen].sort(), ['', 'dog', 'dog,horse', 'horse']);
  });

  it('rejects an image that is too thin, whatever is drawn', () => {
    const cropping: AugmentationOptions = {
      flip: 0,
      colorJitter: 0,
      shorterSides: [16],
      maxSize: 20,
      crop: { probability: 0.5, shorterSides: [4], size: [2, 4] },
    };
    for (let seed = 0; seed < 20; seed++)
      assert.throws(() => augmentImage(randomStream(seed), imageOf(400, 2), sample, cropping), {
        reason: 'image-too-thin',
        message: /: has 400 x 2 pixels, .* expected at most 39 times the length of the shorter side$/,
      });
  });

  it('jitters colors within [0, 255], and gives the same result for the same seed', () => {
    const jittering: AugmentationOptions = { flip: 0, colorJitter: 0.4, shorterSides: [40], maxSize: 99 };
    const image = imageOf(60, 40);
    const once = augmentImage(randomStream(5), image, sample, jittering).image;
    assert.deepEqual(augmentImage(randomStream(5), image, sample, jittering).image, once);
    assert.notDeepEqual(once.data, image.data);
    const gray: RgbImage = { width: 4, height: 4, data: new Uint8Array(48).fill(100) };
    const small = { ...sample, image: { ...sample.image, width: 4, height: 4 }, boxes: [], categories: [], pairs: [] };
    const { data } = augmentImage(randomStream(6), gray, small, { ...jittering, shorterSides: [4] }).image;
    // A uniform gray can only change in brightness.
    assert.equal(new Set(data).size, 1);
    assert.ok(data[0]! >= 60 && data[0]! <= 140);
  });
});
