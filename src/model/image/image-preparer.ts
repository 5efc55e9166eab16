import type { Tinypool } from 'tinypool';
import { RecordError } from '../../errors.js';
import { imageContent } from '../../files/image-stores/find-image-file.js';
import { startImageThreads } from './image-threads.js';
import { type ImageRequest, type PreparedImage, prepareImage } from './prepare-image.js';
import type { ThreadRequest, ThreadResult } from './prepare-thread.js';

/** Prepares images in threads, which start with the first image. A result depends on the request alone. */
export class ImagePreparer {
  readonly #threads: number;
  #pool: Tinypool | undefined;

  /** @param threads number of threads; 0 to resize in the calling thread */
  constructor(threads: number) {
    this.#threads = threads;
  }

  /** @throws RecordError as `prepareImage`, and what reading an image of a store throws */
  async prepare(request: ImageRequest): Promise<PreparedImage> {
    if (this.#threads === 0) return prepareImage(request);
    this.#pool ??= startImageThreads('./prepare-thread', import.meta.url, this.#threads, null);
    const { file } = request;
    const own: ThreadRequest['file'] =
      typeof file === 'string'
        ? file
        : { name: file.name, tag: file.tag, content: (await imageContent(file)) as Buffer };
    const result = (await this.#pool.run({ ...request, file: own } satisfies ThreadRequest)) as ThreadResult;
    if ('image' in result) return result.image;
    throw new RecordError(result.error.reason, result.error.message, result.error.fields);
  }

  /** Ends the threads; a later image starts them again. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.destroy();
  }
}
