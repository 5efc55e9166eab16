import { type Static, Type } from './type.js';

export const CaptionSchema = Type.Object(
  {
    text: Type.String(),
    source: Type.String({ description: 'the file or model that the caption came from' }),
  },
  { additionalProperties: false },
);
/** One sentence or more about an image. */
export type Caption = Static<typeof CaptionSchema>;

/** A record after `caption`. */
export interface Captioned {
  readonly captions: readonly Caption[];
}
