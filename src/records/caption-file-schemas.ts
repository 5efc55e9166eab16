import { IdSchema } from './image.js';
import { type Static, Type } from './type.js';

export const CaptionMapSchema = Type.Unsafe<Record<string, string[]>>({
  type: 'object',
  title: 'Captions by image',
  description: '{"<image id>": ["caption", …]}, the format of RLIPv2’s captioner.',
  additionalProperties: { type: 'array', items: { type: 'string' } },
});
/** Captions by image id, in the format of RLIPv2's captioner. */
export type CaptionMap = Static<typeof CaptionMapSchema>;

export const CocoCaptionsSchema = Type.Object(
  {
    annotations: Type.Array(Type.Object({ image_id: IdSchema, caption: Type.String() })),
  },
  { title: 'COCO captions', description: 'COCO’s captions_*.json; other keys are ignored.' },
);
/** COCO's caption annotations. */
export type CocoCaptions = Static<typeof CocoCaptionsSchema>;
