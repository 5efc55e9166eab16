import { Tinypool } from 'tinypool';
import { RecordError } from '../../errors.js';
import { type ImageContent, imageInMemory } from '../../files/image-stores/image-store.js';
import { type ImageRequest, type PreparedImage, prepareImage } from './prepare-image.js';

/** A request as a thread takes it: an image of a shard or store comes with its content. */
export interface ThreadRequest extends Omit<ImageRequest, 'file'> {
  readonly file: string | ImageContent;
}

/** An error of `prepareImage` as it leaves a thread. */
export interface PreparationError {
  readonly reason: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a thread returns. */
export type ThreadResult = { readonly image: PreparedImage } | { readonly error: PreparationError };

/** Prepares an image in a worker thread; the pixels are transferred, not copied. */
export default async function prepareInThread({ file, ...request }: ThreadRequest): Promise<unknown> {
  try {
    const image = await prepareImage({ ...request, file: typeof file === 'string' ? file : imageInMemory(file) });
    const result: ThreadResult = { image };
    const own = [image.pixels.buffer];
    return Tinypool.move({ [Tinypool.transferableSymbol]: own, [Tinypool.valueSymbol]: result } as never);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    const { reason, message, fields } = error;
    return { error: { reason, message, fields } } satisfies ThreadResult;
  }
}
