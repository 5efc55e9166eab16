import { CandidatePairSchema, RelationSourceSchema } from './candidate.js';
import { CaptionSchema } from './caption-record.js';
import { DetectionSchema, ImageSchema, OriginSchema } from './image.js';
import { type Static, Type } from './type.js';

const WordingSchema = Type.Object(
  {
    predicate: Type.String({ minLength: 1 }),
    confidence: Type.Number({ minimum: 0, maximum: 1 }),
    captions: Type.Array(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);

const RelationSchema = Type.Object(
  {
    subject: Type.Integer({ minimum: 0, description: 'index into objects' }),
    object: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
      description: 'index into objects, the one of the subject too; null if the relation has no object, as in V-COCO',
    }),
    predicate: Type.String({ minLength: 1 }),
    confidence: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'omitted if people annotated the relation' }),
    ),
    captions: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0 }), {
        description: 'indices of the captions that proposed it; omitted if people annotated the relation',
      }),
    ),
    source: Type.Optional(RelationSourceSchema),
    wordings: Type.Optional(
      Type.Array(WordingSchema, {
        minItems: 1,
        description: 'less specific or rarer wordings of the same fact about the same pair; captions are those of all',
      }),
    ),
  },
  { additionalProperties: false },
);
/** A relation between two objects of an image, of an object with itself, or of an object alone. */
export type Relation = Static<typeof RelationSchema>;

/** The fields that `tag`, or a source of ground truth, adds to a record. */
export interface Related {
  readonly relations: readonly Relation[];
  /** The tagger that scored the relations; null if people annotated them. */
  readonly tagger: Tagger | null;
}

const TaggerSchema = Type.Object(
  {
    name: Type.String(),
    version: Type.String(),
    baseline: Type.Boolean({ description: 'true if the scores do not come from a learned model' }),
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
/** The name, version and options digest of an operator. */
export type OperatorStamp = Static<typeof OperatorStampSchema>;

const ProvenanceSchema = Type.Object(
  {
    origin: OriginSchema,
    operators: Type.Array(OperatorStampSchema, { description: 'the stages that the record passed through, in order' }),
    tagger: Type.Union([TaggerSchema, Type.Null()]),
  },
  { additionalProperties: false },
);
/** The origin of a record and the stages that produced it. */
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
    description: 'One line of a scene-graph shard: an image, its objects and their relations.',
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
      'One line of a candidate shard: the pairs of an image that a tagger is to score, each with its relation texts.',
  },
);
/** One line of a candidate shard. */
export type CandidateSet = Static<typeof CandidateSetSchema>;
