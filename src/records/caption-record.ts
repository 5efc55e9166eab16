import { type Static, Type } from './type.js';

export const CaptionSchema = Type.Object(
  {
    text: Type.String(),
    source: Type.String({ description: 'the file or model that the caption came from' }),
  },
  { additionalProperties: false },
);
/** A text of one or more sentences that describes an image. */
export type Caption = Static<typeof CaptionSchema>;

/** The fields that `caption` adds to a record. */
export interface Captioned {
  readonly captions: readonly Caption[];
}
