import { workerData } from 'node:worker_threads';
import { Tinypool } from 'tinypool';
import type { RgbImage } from '../../model/image/resize.js';
import type { AugmentationOptions } from './augment-image.js';
import type { ThreadRequest, ThreadResult } from './augmented-image-reader.js';
import { ImageAugmenter } from './image-augmenter.js';

// The pool puts data of its own before what it was given.
const [, views] = workerData as [unknown, AugmentationOptions];
const maker = new ImageAugmenter(views);

/** A view whose pixels are handed over, not copied. */
export default async function augmentInThread(request: ThreadRequest): Promise<unknown> {
  const made = await maker.augment(request);
  if ('reject' in made) return made;
  const { view, decoded } = made;
  const answer: ThreadResult = { view, decoded: request.keep && !request.decoded ? shared(decoded) : null };
  // What was not varied at all is somebody else's memory still.
  const own = view.image.data === decoded.data ? [] : [view.image.data.buffer];
  return Tinypool.move({ [Tinypool.transferableSymbol]: own, [Tinypool.valueSymbol]: answer } as never);
}

/** The image in memory that all threads see. */
function shared({ data, height, width }: RgbImage): RgbImage {
  const copy = new Uint8Array(new SharedArrayBuffer(data.length));
  copy.set(data);
  return { data: copy, height, width };
}
