import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { Tinypool } from 'tinypool';
import type { RgbImage } from '../../model/image/resize.js';
import { checkPositiveInteger } from '../../records/option-checks.js';
import type { AugmentationOptions, AugmentedImage } from './augment-image.js';
import { type AugmentationRequest, type AugmentationResult, ImageAugmenter } from './image-augmenter.js';

export interface AugmentedImageReaderOptions {
  /** Threads that decode and vary images; 0 for this one. Default: one less than there are processors, at most 4. */
  readonly threads?: number;
  /** Bytes of decoded pixels that are kept at most. Default 0: each image is decoded anew each time. */
  readonly cacheBytes?: number;
}

/** What a thread is asked: whether the decoded image will be wanted again. */
export type ThreadRequest = AugmentationRequest & { readonly keep: boolean };

/** What a thread answers: an image to keep is in memory that all threads see. */
export type ThreadResult = { readonly view: AugmentedImage; readonly decoded: RgbImage | null } | RejectedImage;
export type RejectedImage = Extract<AugmentationResult, { reject: unknown }>;

const MOST_THREADS = 4;

/**
 * Makes views of a data set's images, in threads of its own. What a view is depends on what it is made of alone, whichever
 * thread made it and when.
 *
 * Decoded images are kept for as long as there is room, those that came first: an epoch reads each image once, so that to
 * let an older one go for a newer would be to keep none.
 */
export class AugmentedImageReader {
  readonly #pool: Tinypool | null;
  readonly #make: (request: ThreadRequest) => Promise<ThreadResult>;
  readonly #kept = new Map<string, RgbImage>();
  #room: number;

  /** @throws OptionError where `threads` is no whole number */
  constructor(
    views: AugmentationOptions,
    { threads = defaultThreads(), cacheBytes: keep = 0 }: AugmentedImageReaderOptions = {},
  ) {
    if (threads !== 0) checkPositiveInteger('training', 'readers', threads);
    const pool = threads === 0 ? null : startThreads(views, threads);
    const maker = new ImageAugmenter(views);
    this.#pool = pool;
    this.#make = (request) => (pool ? pool.run(request) : maker.augment(request));
    this.#room = keep;
  }

  /** A view, or why the image can't be read. */
  async read(
    request: Omit<AugmentationRequest, 'decoded'>,
  ): Promise<{ readonly view: AugmentedImage } | RejectedImage> {
    const { path } = request;
    const known = this.#kept.get(path) ?? null;
    // An image as it is belongs to another set, which is not gone through as often.
    const keep = known === null && request.randomness !== null && this.#room > 0;
    const made = await this.#make({ ...request, decoded: known, keep });
    if ('reject' in made) return made;
    if (keep && made.decoded) this.#keep(path, made.decoded);
    return { view: made.view };
  }

  /** Ends the threads; what they have not answered fails. */
  async close(): Promise<void> {
    await this.#pool?.destroy();
  }

  #keep(path: string, image: RgbImage): void {
    if (image.data.length > this.#room || this.#kept.has(path)) return;
    this.#room -= image.data.length;
    this.#kept.set(path, image);
  }
}

const defaultThreads = (): number => Math.min(availableParallelism() - 1, MOST_THREADS);

function startThreads(views: AugmentationOptions, threads: number): Tinypool {
  // From its sources, under tsx, a thread needs hooks of its own to read TypeScript.
  const source = import.meta.url.endsWith('.ts');
  const hooks = () => {
    // `import.meta.resolve` is not there where a test runner requires modules.
    const { href } = new URL('index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')));
    return `data:text/javascript,${encodeURIComponent(`import { register } from ${JSON.stringify(href)}; register();`)}`;
  };
  return new Tinypool({
    filename: new URL(`./augmentation-thread.${source ? 'ts' : 'js'}`, import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    // All requests are handed over at once: this thread computes for long, and could not hand over the next one.
    concurrentTasksPerWorker: Number.POSITIVE_INFINITY,
    workerData: views,
    ...(source && { execArgv: ['--import', hooks()] }),
  });
}
