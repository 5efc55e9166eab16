import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { Captioner } from '../records/ports.js';
import { type Operator, operator } from './operator.js';

/** Options of `caption`. */
export interface CaptionOptions {
  /** Number of images to caption concurrently. Default: the captioner's preference, else 8, because it waits for a disk. */
  readonly concurrency?: number;
}

/**
 * Adds captions from a model or a file. An image that cannot be captioned is rejected.
 *
 * @throws OptionError when `concurrency` is not a positive whole number
 *
 * @example
 * ```ts
 * import { caption, captionFile, coco, Graph } from 'relflow';
 *
 * new Graph('captions')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })));
 * ```
 */
export function caption(captioner: Captioner, options: CaptionOptions = {}): Operator<ImageRecord, Captioned> {
  return operator<ImageRecord, Captioned>({
    name: 'caption',
    version: `1+${captioner.name}@${captioner.version}`,
    options: { captioner: captioner.name, ...captioner.options },
    needs: ['image'],
    adds: ['captions'],
    concurrency: options.concurrency ?? captioner.imagesAtOnce ?? 8,
    ...(captioner.files ? { files: () => captioner.files!() } : { lane: 'captions' as const }),
    ...(captioner.forecast && { forecast: ({ image }, signal) => captioner.forecast!(image, signal) }),
    ...(captioner.usage && { usage: () => captioner.usage!() }),
    ...(captioner.close && { close: () => captioner.close!() }),
    apply: async ({ image }, context) => {
      const captions = await captioner.caption(image, context.signal, context.count);
      context.count('captions', captions.length);
      return { captions };
    },
  });
}
