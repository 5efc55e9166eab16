import { Type } from './type.js';

const closed = { additionalProperties: false } as const;
const whole = (maximum: number, minimum = 1) => Type.Integer({ minimum, maximum });
const four = (maximum: number) => Type.Array(whole(maximum), { minItems: 4, maxItems: 4 });
const share = Type.Number({ minimum: 0, maximum: 1 });
const labels = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 10_000, uniqueItems: true });

const BackboneSchema = Type.Union([
  Type.Object({ kind: Type.Literal('resnet'), stem: whole(1024), width: whole(1024), depths: four(64) }, closed),
  Type.Object(
    {
      kind: Type.Literal('swin'),
      width: whole(1024),
      depths: four(64),
      heads: four(64),
      window: whole(64),
      dropPath: share,
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal('convolutions'),
      channels: Type.Array(whole(1024), { minItems: 5, maxItems: 5 }),
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
        layers: whole(48, 0),
        width: whole(4096),
        heads: whole(64),
        hidden: whole(16_384),
        vocabulary: whole(1_000_000),
        positions: whole(8192, 3),
      },
      closed,
    ),
    width: whole(4096),
    heads: whole(64),
    hidden: whole(16_384),
    levels: whole(8, 3),
    points: whole(64),
    encoderLayers: whole(48),
    decoderLayers: whole(48),
    fusion: Type.Object(
      {
        interval: whole(48),
        lastLevelOnly: Type.Boolean(),
        gate: Type.Union(['glip', 'vxac', 'tanh'].map((name) => Type.Literal(name))),
        width: whole(16_384),
        heads: whole(64),
        auxiliaryStates: Type.Boolean(),
      },
      closed,
    ),
    lateFusion: Type.Boolean(),
    queries: Type.Union(['tagger', 'parsed', 'parseda'].map((name) => Type.Literal(name))),
    pairs: whole(10_000),
    verbQuery: Type.Union(['vanilla', 'mbf', 'vanilla-mbf'].map((name) => Type.Literal(name))),
    branches: whole(4096),
    boxContent: Type.Optional(Type.Boolean()),
    dropout: share,
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
        { shorter: whole(4096, 16), longest: whole(8192, 16) },
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
