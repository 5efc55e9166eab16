import PQueue from 'p-queue';
import { RecordError } from '../../errors.js';
import { imageInMemory } from '../../files/image-stores/image-store.js';
import { readImage } from '../../model/image/read-image.js';
import { type RgbImage, resize } from '../../model/image/resize.js';
import { targetSize } from '../../model/image/target-size.js';
import { type AugmentationOptions, type AugmentedImage, augmentImage, resizedImage } from './augment-image.js';
import { randomStream, STREAMS } from './random-stream.js';
import type { TrainingSample } from './training-sample.js';

/** An image to be augmented. */
export interface AugmentationRequest {
  /** Path of the file, or name of a stored image. */
  readonly path: string;
  /** The content of a stored image. */
  readonly content?: Uint8Array;
  readonly sample: TrainingSample;
  /** Determines the random numbers; null resizes the image without augmentation. */
  readonly randomness: { readonly seed: number; readonly epoch: number; readonly position: number } | null;
  /** The decoded image if it is cached, else null. */
  readonly decoded: RgbImage | null;
}

/** An augmented image with the decoded one that it was made from, or the reason why the image is rejected. */
export type AugmentationResult =
  | { readonly augmentedImage: AugmentedImage; readonly decoded: RgbImage }
  | { readonly reject: { readonly reason: string; readonly message: string } };

/** Images in flight: libuv has four threads for decoding, and each image in flight is in memory at full size. */
const CONCURRENCY = 4;

/** Decodes and augments images. */
export class ImageAugmenter {
  readonly #options: AugmentationOptions;
  readonly #queue = new PQueue({ concurrency: CONCURRENCY });

  constructor(options: AugmentationOptions) {
    this.#options = options;
  }

  augment(request: AugmentationRequest): Promise<AugmentationResult> {
    return this.#queue.add(() => this.#augment(request));
  }

  async #augment({
    path,
    content,
    sample,
    randomness,
    decoded: cached,
  }: AugmentationRequest): Promise<AugmentationResult> {
    try {
      const decoded = cached ?? (await this.#decode(path, content, sample));
      if (randomness === null) return { augmentedImage: resizedImage(decoded, sample, this.#options), decoded };
      const random = randomStream(randomness.seed, STREAMS.augmentation, randomness.epoch, randomness.position);
      return { augmentedImage: augmentImage(random, decoded, sample, this.#options), decoded };
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      return { reject: { reason: error.reason, message: error.message } };
    }
  }

  async #decode(
    path: string,
    content: Uint8Array | undefined,
    { image: annotated }: TrainingSample,
  ): Promise<RgbImage> {
    const { decodedShorterSide, maxSize, compat = false } = this.#options;
    const image = await readImage(content ? imageInMemory({ name: path, tag: '', content }) : path, {
      annotated,
      compat,
    });
    return decodedShorterSide === undefined
      ? image
      : resize(image, targetSize(image, decodedShorterSide, maxSize, path));
  }
}
