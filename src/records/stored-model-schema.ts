import { Type } from './type.js';

const closed = { additionalProperties: false } as const;
const integer = (maximum: number, minimum = 1) => Type.Integer({ minimum, maximum });
const fourIntegers = (maximum: number) => Type.Array(integer(maximum), { minItems: 4, maxItems: 4 });
const fraction = Type.Number({ minimum: 0, maximum: 1 });
const labels = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 10_000, uniqueItems: true });

const BackboneSchema = Type.Union([
  Type.Object(
    { kind: Type.Literal('resnet'), stem: integer(1024), width: integer(1024), depths: fourIntegers(64) },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('swin'),
      width: integer(1024),
      depths: fourIntegers(64),
      heads: fourIntegers(64),
      window: integer(64),
      dropPath: fraction,
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('convolutions'),
      channels: Type.Array(integer(1024), { minItems: 5, maxItems: 5 }),
    },
    closed,
  ),
]);

const ConfigSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    backbone: BackboneSchema,
    text: Type.Object(
      {
        layers: integer(48, 0),
        width: integer(4096),
        heads: integer(64),
        hidden: integer(16_384),
        vocabulary: integer(1_000_000),
        positions: integer(8192, 3),
      },
      closed,
    ),
    width: integer(4096),
    heads: integer(64),
    hidden: integer(16_384),
    levels: integer(8, 3),
    points: integer(64),
    encoderLayers: integer(48),
    decoderLayers: integer(48),
    fusion: Type.Object(
      {
        interval: integer(48),
        lastLevelOnly: Type.Boolean(),
        gate: Type.Union(['glip', 'vxac', 'tanh'].map((name) => Type.Literal(name))),
        width: integer(16_384),
        heads: integer(64),
        auxiliaryStates: Type.Boolean(),
      },
      closed,
    ),
    lateFusion: Type.Boolean(),
    queries: Type.Union(['tagger', 'parsed', 'parseda'].map((name) => Type.Literal(name))),
    pairs: integer(10_000),
    verbQuery: Type.Union(['vanilla', 'mbf', 'vanilla-mbf'].map((name) => Type.Literal(name))),
    branches: integer(4096),
    boxContent: Type.Optional(Type.Boolean()),
    dropout: fraction,
    textDropout: Type.Optional(Type.Boolean()),
    compat: Type.Record(Type.String({ maxLength: 100 }), Type.Boolean()),
  },
  closed,
);

/** The schema of the model description in the header of a weights file. */
export const StoredModelSchema = Type.Object(
  {
    config: Type.Optional(ConfigSchema),
    view: Type.Optional(
      Type.Object(
        { shorter: integer(4096, 16), longest: integer(8192, 16) },
        { ...closed, description: 'lengths of the sides to which images are resized, in pixels' },
      ),
    ),
    labels: Type.Optional(
      Type.Object(
        { objects: labels, relations: labels },
        { ...closed, description: 'the labels that the model was trained on' },
      ),
    ),
  },
  {
    ...closed,
    title: 'Model description in the header of a weights file',
    description: 'The fields config, view and labels of __metadata__, each as JSON text.',
  },
);
