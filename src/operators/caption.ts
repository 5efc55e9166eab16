import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import type { Captioner } from '../records/ports.js';
import { type Operator, operator } from './operator.js';

export interface CaptionOptions {
  /** How many images are captioned at once. Default: what the captioner says, else 8, since it waits for a disk. */
  readonly concurrency?: number;
}

/** Adds captions, from a model or from a file. An image that can't be captioned is refused. */
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
