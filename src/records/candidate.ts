import { type Static, Type } from './type.js';

/** The result of `match` for one noun phrase. */
export interface Mention {
  /** Index into `captions` and `phrases`. */
  readonly caption: number;
  /** Index into the `entities` of that graph. */
  readonly entity: number;
  /** The matched category, one of the image's detections; null if none matches. */
  readonly category: string | null;
  /** The synonym that matched, or the reason why no category matched. */
  readonly why: string;
}

/** The fields that `match` adds to a record. */
export interface Matched {
  readonly mentions: readonly Mention[];
}

export const RelationSourceSchema = Type.Union(
  [Type.Literal('geometry'), Type.Literal('proposal'), Type.Literal('predicates')],
  {
    description:
      'where it comes from if no caption says it: the boxes (geometry), a model that was asked for relations (proposal), or a given list of predicates (predicates)',
  },
);
/** Where a relation comes from if no caption says it. */
export type RelationSource = Static<typeof RelationSourceSchema>;

const CandidateTextSchema = Type.Object(
  {
    text: Type.String({ minLength: 1, description: 'a relation text, for example sitting on' }),
    captions: Type.Array(Type.Integer({ minimum: 0 }), { description: 'indices of the captions that propose it' }),
    subjects: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'the largest number of subjects that a caption speaks of; omitted if a caption leaves it open',
      }),
    ),
    objects: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'the largest number of objects that a caption speaks of; omitted if a caption leaves it open',
      }),
    ),
    source: Type.Optional(RelationSourceSchema),
  },
  { additionalProperties: false },
);
/** A relation text with the captions that propose it, or with its other source. */
export type CandidateText = Static<typeof CandidateTextSchema>;

export const CandidatePairSchema = Type.Object(
  {
    subject: Type.Integer({ minimum: 0, description: 'index into detections' }),
    object: Type.Integer({ minimum: 0, description: 'index into detections' }),
    texts: Type.Array(CandidateTextSchema, { minItems: 1 }),
  },
  { additionalProperties: false },
);
/**
 * An ordered pair of distinct detections with its relation texts, in the order in which the captions first name them.
 */
export type CandidatePair = Static<typeof CandidatePairSchema>;

/** The fields that `pair` adds to a record. */
export interface Candidates {
  /** Each ordered pair once, sorted by subject and then by object. */
  readonly candidates: readonly CandidatePair[];
}
