import PQueue from 'p-queue';
import { RecordError } from '../../errors.js';
import { readImage } from '../../model/image/read-image.js';
import { type RgbImage, resize, targetSize } from '../../model/image/resize.js';
import { type AugmentationOptions, type AugmentedImage, augmentImage, resizedImage } from './augment-image.js';
import { randomStream, STREAMS } from './random-stream.js';
import type { TrainingSample } from './training-sample.js';

/** What a view is made of. */
export interface AugmentationRequest {
  readonly path: string;
  readonly sample: TrainingSample;
  /** What decides how the image is varied; null for an image as it is. */
  readonly randomness: { readonly seed: number; readonly epoch: number; readonly position: number } | null;
  /** The decoded image, where it is known already. */
  readonly decoded: RgbImage | null;
}

/** A view, or why there is none. */
export type AugmentationResult =
  | { readonly view: AugmentedImage; readonly decoded: RgbImage }
  | { readonly reject: { readonly reason: string; readonly message: string } };

/** Images that are decoded at once: as many as Node has threads for that, and no more are in memory as large as they are. */
const AT_ONCE = 4;

/** Decodes images, brings them to the size that views are made of, and varies them. */
export class ImageAugmenter {
  readonly #views: AugmentationOptions;
  readonly #queue = new PQueue({ concurrency: AT_ONCE });

  constructor(views: AugmentationOptions) {
    this.#views = views;
  }

  augment(request: AugmentationRequest): Promise<AugmentationResult> {
    return this.#queue.add(() => this.#made(request));
  }

  async #made({ path, sample, randomness: varied, decoded: known }: AugmentationRequest): Promise<AugmentationResult> {
    try {
      const decoded = known ?? (await this.#decoded(path));
      if (varied === null) return { view: resizedImage(decoded, sample, this.#views), decoded };
      const random = randomStream(varied.seed, STREAMS.view, varied.epoch, varied.position);
      return { view: augmentImage(random, decoded, sample, this.#views), decoded };
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      return { reject: { reason: error.reason, message: error.message } };
    }
  }

  async #decoded(path: string): Promise<RgbImage> {
    const { decodedShorterSide: shorter, maxSize: longest } = this.#views;
    const image = await readImage(path);
    return shorter === undefined ? image : resize(image, targetSize(image, shorter, longest));
  }
}
