import { type Static, Type } from './type.js';

/** What `match` found for one noun phrase. */
export interface Mention {
  /** Index in `captions` and `phrases`. */
  readonly caption: number;
  /** Index in that graph's `entities`. */
  readonly entity: number;
  /** A category of the image, or null. */
  readonly category: string | null;
  /** The synonym that decided, or why there is no category. */
  readonly why: string;
}

/** A record after `match`. */
export interface Matched {
  readonly mentions: readonly Mention[];
}

export const CandidateTextSchema = Type.Object(
  {
    text: Type.String({ minLength: 1, description: 'a relation text, e.g. sitting on' }),
    captions: Type.Array(Type.Integer({ minimum: 0 }), { description: 'the captions that propose it, by index' }),
  },
  { additionalProperties: false },
);
/** A relation text with the captions that propose it. */
export type CandidateText = Static<typeof CandidateTextSchema>;

export const CandidatePairSchema = Type.Object(
  {
    subject: Type.Integer({ minimum: 0, description: 'index in detections' }),
    object: Type.Integer({ minimum: 0, description: 'index in detections' }),
    texts: Type.Array(CandidateTextSchema, { minItems: 1 }),
  },
  { additionalProperties: false },
);
/** An ordered pair of distinct detections with its own relation texts, in order of first appearance in the captions. */
export type CandidatePair = Static<typeof CandidatePairSchema>;

/** A record after `pair`. */
export interface Candidates {
  /** Each ordered pair once, by subject and then object. */
  readonly candidates: readonly CandidatePair[];
}
