import { workerData } from 'node:worker_threads';
import { Tinypool } from 'tinypool';
import type { RgbImage } from '../../model/image/resize.js';
import type { AugmentationOptions } from './augment-image.js';
import type { ThreadRequest, ThreadResult } from './augmented-image-reader.js';
import { ImageAugmenter } from './image-augmenter.js';

// Tinypool puts its own data before ours.
const [, options] = workerData as [unknown, AugmentationOptions];
const augmenter = new ImageAugmenter(options);

/** Augments an image in a worker thread; the pixels of the result are transferred, not copied. */
export default async function augmentInThread(request: ThreadRequest): Promise<unknown> {
  const result = await augmenter.augment(request);
  if ('reject' in result) return result;
  const { augmentedImage, decoded } = result;
  const answer: ThreadResult = {
    augmentedImage,
    decoded: request.cacheDecoded && !request.decoded ? shared(decoded) : null,
  };
  // An unchanged image is still the memory of the decoded one, which cannot be transferred.
  const own = augmentedImage.image.data === decoded.data ? [] : [augmentedImage.image.data.buffer];
  return Tinypool.move({ [Tinypool.transferableSymbol]: own, [Tinypool.valueSymbol]: answer } as never);
}

/** Copies an image to memory that all threads share. */
function shared({ data, height, width }: RgbImage): RgbImage {
  const copy = new Uint8Array(new SharedArrayBuffer(data.length));
  copy.set(data);
  return { data: copy, height, width };
}
