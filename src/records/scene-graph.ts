import { CandidatePairSchema } from './candidate.js';
import { CaptionSchema } from './caption-record.js';
import { DetectionSchema, ImageSchema, OriginSchema } from './image.js';
import { type Static, Type } from './type.js';

export const RelationSchema = Type.Object(
  {
    subject: Type.Integer({ minimum: 0, description: 'index in objects' }),
    object: Type.Integer({ minimum: 0, description: 'index in objects' }),
    predicate: Type.String({ minLength: 1 }),
    confidence: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'absent where people wrote the relation' }),
    ),
    captions: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0 }), {
        description: 'the captions that proposed it, by index; absent where people wrote it',
      }),
    ),
  },
  { additionalProperties: false },
);
/** What holds between two objects of an image. */
export type Relation = Static<typeof RelationSchema>;

/** A record after `tag`, or from a source of ground truth. */
export interface Related {
  readonly relations: readonly Relation[];
  /** Who decided; null where people did. */
  readonly tagger: Tagger | null;
}

const TaggerSchema = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    baseline: Type.Boolean({ description: 'true where no learned model decided' }),
  },
  { additionalProperties: false },
);
/** The tagger that scored a record's relations. */
export type Tagger = Static<typeof TaggerSchema>;

const OperatorStampSchema = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    options: Type.String({
      pattern: '^[0-9a-f]{12}$',
      description: 'first 12 hexadecimal digits of the SHA-256 of its options',
    }),
  },
  { additionalProperties: false },
);
/** Which operator, in which version and with which options. */
export type OperatorStamp = Static<typeof OperatorStampSchema>;

export const ProvenanceSchema = Type.Object(
  {
    origin: OriginSchema,
    operators: Type.Array(OperatorStampSchema, { description: 'every stage that the record went through, in order' }),
    tagger: Type.Union([TaggerSchema, Type.Null()]),
  },
  { additionalProperties: false },
);
/** How a record came to be. */
export type Provenance = Static<typeof ProvenanceSchema>;

const head = {
  image: ImageSchema,
  objects: Type.Array(DetectionSchema),
  captions: Type.Array(CaptionSchema),
};

export const SceneGraphSchema = Type.Object(
  {
    format: Type.Literal('relflow.scene-graph/1'),
    ...head,
    relations: Type.Array(RelationSchema),
    provenance: ProvenanceSchema,
  },
  {
    additionalProperties: false,
    title: 'Scene graph',
    description: 'One line of a scene-graph shard: an image, its objects and how they relate.',
  },
);
/** One line of a scene-graph shard. */
export type SceneGraph = Static<typeof SceneGraphSchema>;

export const CandidateSetSchema = Type.Object(
  {
    format: Type.Literal('relflow.candidates/1'),
    ...head,
    candidates: Type.Array(CandidatePairSchema),
    provenance: ProvenanceSchema,
  },
  {
    additionalProperties: false,
    title: 'Candidates',
    description:
      'One line of a candidate shard: the pairs of an image that a tagger is to judge, each with its relation texts.',
  },
);
/** One line of a candidate shard. */
export type CandidateSet = Static<typeof CandidateSetSchema>;
