import type { Tinypool } from 'tinypool';
import { defaultImageThreads, startImageThreads } from '../../model/image/image-threads.js';
import type { RgbImage } from '../../model/image/resize.js';
import { checkPositiveInteger } from '../../records/option-checks.js';
import type { AugmentationOptions, AugmentedImage } from './augment-image.js';
import { type AugmentationRequest, type AugmentationResult, ImageAugmenter } from './image-augmenter.js';

/** Options of `AugmentedImageReader`. */
export interface AugmentedImageReaderOptions {
  /**
   * Threads that decode and augment images; 0 uses the calling thread. Default: one less than processors, at most 4.
   */
  readonly threads?: number;
  /** Upper bound of the cached decoded pixels, in bytes. Default 0: every image is decoded each time. */
  readonly cacheBytes?: number;
}

/** The request to a thread. */
export type ThreadRequest = AugmentationRequest & {
  /** Whether the result contains the decoded image, in shared memory. */
  readonly cacheDecoded: boolean;
};

/** The result of a thread. */
export type ThreadResult =
  | { readonly augmentedImage: AugmentedImage; readonly decoded: RgbImage | null }
  | RejectedImage;
export type RejectedImage = Extract<AugmentationResult, { reject: unknown }>;

/**
 * Reads and augments images of a data set in threads. A result depends on its request alone, not on the thread or on
 * the order of requests.
 *
 * The cache keeps the first images that fit and never evicts one: an epoch reads each image once, so that an evicting
 * cache would have lost every image before its next use.
 */
export class AugmentedImageReader {
  readonly #pool: Tinypool | null;
  readonly #augment: (request: ThreadRequest) => Promise<ThreadResult>;
  readonly #cache = new Map<string, RgbImage>();
  #freeBytes: number;

  /** @throws OptionError when `threads` is neither 0 nor a positive integer */
  constructor(
    options: AugmentationOptions,
    { threads = defaultImageThreads(), cacheBytes = 0 }: AugmentedImageReaderOptions = {},
  ) {
    if (threads !== 0) checkPositiveInteger('training', 'readers', threads);
    const pool = threads === 0 ? null : startImageThreads('./augmentation-thread', import.meta.url, threads, options);
    const augmenter = new ImageAugmenter(options);
    this.#pool = pool;
    this.#augment = (request) => (pool ? pool.run(request) : augmenter.augment(request));
    this.#freeBytes = cacheBytes;
  }

  /** Reads an augmented image, or returns the reason why it is rejected. */
  async read(
    request: Omit<AugmentationRequest, 'decoded'>,
  ): Promise<{ readonly augmentedImage: AugmentedImage } | RejectedImage> {
    const { path } = request;
    const decoded = this.#cache.get(path) ?? null;
    // Images that are not augmented are of validation data, which is read less often than training data.
    const cacheDecoded = decoded === null && request.randomness !== null && this.#freeBytes > 0;
    const result = await this.#augment({ ...request, decoded, cacheDecoded });
    if ('reject' in result) return result;
    if (cacheDecoded && result.decoded) this.#keep(path, result.decoded);
    return { augmentedImage: result.augmentedImage };
  }

  /** Ends the threads; requests in flight are rejected. */
  async close(): Promise<void> {
    await this.#pool?.destroy();
  }

  #keep(path: string, image: RgbImage): void {
    if (image.data.length > this.#freeBytes || this.#cache.has(path)) return;
    this.#freeBytes -= image.data.length;
    this.#cache.set(path, image);
  }
}
