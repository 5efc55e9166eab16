import { type Static, Type } from './type.js';

const whole = (minimum: number, description: string) => Type.Optional(Type.Integer({ minimum, description }));
const share = (description: string) => Type.Optional(Type.Number({ minimum: 0, maximum: 1, description }));
const rate = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }));
const sizes = (description: string) =>
  Type.Array(Type.Integer({ minimum: 16, maximum: 4096 }), { minItems: 1, description });
const path = (description: string) => Type.String({ minLength: 1, description });
const closed = { additionalProperties: false } as const;

const DataSetSchema = Type.Object(
  {
    sceneGraphs: Type.Optional(path("relflow's scene graphs: a file, a glob, or the folder of a finished run")),
    visualGenome: Type.Optional(
      Type.Object(
        {
          sceneGraphs: path('scene_graphs.json'),
          imageData: path('image_data.json'),
          objectAliases: Type.Optional(path('object_alias.txt')),
          relationshipAliases: Type.Optional(path('relationship_alias.txt')),
        },
        closed,
      ),
    ),
    pseudoAnnotations: Type.Optional(
      Type.Object(
        {
          annotations: path("RLIPv2's JSON of pseudo-annotations: a file or a glob, .gz too"),
          filePaths: Type.Optional(path('JSON of {image id: path}, as Objects365 needs it')),
        },
        closed,
      ),
    ),
    images: path('the folder that image files are below'),
  },
  { ...closed, description: 'one of sceneGraphs, visualGenome and pseudoAnnotations, and the images' },
);

const ViewsSchema = Type.Union([
  Type.Literal('official'),
  Type.Literal('tiny'),
  Type.Literal('sprites'),
  Type.Object(
    {
      decoded: Type.Optional(
        Type.Integer({
          minimum: 16,
          maximum: 4096,
          description: 'shorter side that decoded images are brought to once',
        }),
      ),
      flip: Type.Number({ minimum: 0, maximum: 1 }),
      colour: Type.Number({ minimum: 0, maximum: 1 }),
      shorter: sizes('lengths of the shorter side, one of which is picked'),
      longest: Type.Integer({ minimum: 16, maximum: 8192 }),
      crop: Type.Optional(
        Type.Object(
          {
            probability: Type.Number({ minimum: 0, maximum: 1 }),
            shorter: sizes('lengths of the shorter side before a part is cut out'),
            sides: Type.Array(Type.Integer({ minimum: 16, maximum: 4096 }), { minItems: 2, maxItems: 2 }),
          },
          closed,
        ),
      ),
    },
    closed,
  ),
]);

export const TrainingConfigSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    task: Type.Union([Type.Literal('tagger'), Type.Literal('rlip'), Type.Literal('finetune')], {
      description: 'an R-Tagger, RLIPv2 in pre-training, or RLIPv2 for a closed set of names',
    }),
    model: path('a preset: rTaggerR50, parsedaR50, tinyTagger, spriteTagger, tinyParseda…'),
    modelOptions: Type.Optional(
      Type.Object(
        {
          pairs: whole(1, 'pairs that are judged at once, and learnt from an image'),
          width: whole(4, 'channels of tokens and queries'),
          hidden: whole(1, 'width of the feed-forward parts'),
          encoderLayers: whole(1, 'encoder layers'),
          decoderLayers: whole(1, 'decoder layers'),
          dropout: share('of encoder and decoders'),
        },
        { ...closed, description: 'what differs from the preset' },
      ),
    ),
    initialWeights: Type.Optional(path('weights to begin with; drawn from the seed without')),
    startFrom: Type.Optional(path("another model's weights: what has the same name and shape is taken")),
    tokenizer: Type.Optional(path("a folder with roberta-base's tokenizer.json; tiny models need none")),
    data: Type.Array(DataSetSchema, { minItems: 1, description: 'what is learnt from; sets are mixed' }),
    validation: Type.Optional(Type.Array(DataSetSchema, { minItems: 1, description: 'what the loss is watched on' })),
    heldOut: Type.Optional(
      Type.Array(
        Type.Object(
          {
            subject: Type.Optional(Type.String({ minLength: 1 })),
            predicate: Type.Optional(Type.String({ minLength: 1 })),
            object: Type.Optional(Type.String({ minLength: 1 })),
          },
          { ...closed, minProperties: 1 },
        ),
        { description: 'relations that are not learnt from, for zero-shot scores; their images stay' },
      ),
    ),
    fewShot: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        description: 'this share of the images, drawn so that every name comes',
      }),
    ),
    vocabulary: Type.Optional(
      Type.Object(
        {
          objects: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
          relations: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
        },
        { ...closed, description: 'all names, which every batch reads; of task finetune' },
      ),
    ),
    losses: Type.Optional(
      Type.Object(
        {
          quality: Type.Optional(Type.Boolean({ description: 'labels as strong as boxes are good (true)' })),
          pseudoLabels: Type.Optional(
            Type.Boolean({ description: 'shares for relations of like meaning (true; false in finetune)' }),
          ),
        },
        { ...closed, description: 'of tasks rlip and finetune' },
      ),
    ),
    average: Type.Optional(
      Type.Number({ minimum: 0, exclusiveMaximum: 1, description: 'keeps a slow mean of the weights, e.g. 0.999' }),
    ),
    relationThreshold: share('relations of less confidence are left out (0.2)'),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 4294967295, description: 'of everything random (1)' })),
    epochs: Type.Integer({ minimum: 1, description: 'how often the data is gone through' }),
    steps: whole(1, 'ends after so many steps, if that is sooner'),
    batch: Type.Integer({ minimum: 1, maximum: 4096, description: 'images at once' }),
    accumulate: whole(1, 'batches a step, whose gradients are averaged (1)'),
    texts: Type.Optional(
      Type.Object(
        {
          objects: Type.Integer({ minimum: 0 }),
          relations: Type.Integer({ minimum: 1 }),
        },
        { ...closed, description: 'texts a batch has at least, as far as the data names so many (333 and 167)' },
      ),
    ),
    paraphrases: Type.Optional(
      Type.Object(
        {
          share: Type.Number({ minimum: 0, maximum: 1, description: 'how often a relation is said in other words' }),
          of: Type.Record(Type.String(), Type.Array(Type.String({ minLength: 1 })), {
            description: 'by relation: other words for it',
          }),
        },
        { ...closed, description: 'relations in other words, drawn anew for each batch' },
      ),
    ),
    noise: Type.Optional(
      Type.Object(
        { label: Type.Number({ minimum: 0, maximum: 1 }), box: Type.Number({ minimum: 0, maximum: 1 }) },
        {
          ...closed,
          description:
            'denoising: rate of wrong labels, reach of moved boxes (of taggers 0.2 and 0.4; of ParSeDA none)',
        },
      ),
    ),
    views: Type.Optional(ViewsSchema),
    optimizer: Type.Optional(
      Type.Object(
        {
          rate: rate('learning rate (0.000141)'),
          backboneRate: rate('of the backbone (0.0000141)'),
          textRate: rate('of the text encoder (0.0000141)'),
          weightDecay: rate('(0.0001)'),
          clip: rate('longest gradient over all weights; 0 for no bound (0.1)'),
        },
        closed,
      ),
    ),
    schedule: Type.Optional(
      Type.Union([
        Type.Object(
          {
            kind: Type.Literal('step'),
            dropAfter: Type.Array(Type.Integer({ minimum: 1 }), { description: 'epochs' }),
            factor: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
            warmup: Type.Integer({ minimum: 0, description: 'steps' }),
          },
          closed,
        ),
        Type.Object(
          {
            kind: Type.Literal('cosine'),
            floor: Type.Number({ minimum: 0, maximum: 1 }),
            warmup: Type.Integer({ minimum: 0, description: 'steps' }),
          },
          closed,
        ),
      ]),
    ),
    shuffleBuffer: whole(1, 'images that the shuffle holds (2000)'),
    prefetch: Type.Optional(Type.Integer({ minimum: 0, maximum: 64, description: 'batches that are read ahead (2)' })),
    readers: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 64,
        description: 'threads that read images, 0 for none of their own (one less than processors, at most 4)',
      }),
    ),
    keepImages: whole(0, 'megabytes of decoded images that stay in memory (0)'),
    checkpointEvery: whole(1, 'steps (500)'),
    keep: whole(1, 'checkpoints that are kept (2)'),
    evaluateEvery: whole(1, 'steps (at each end of an epoch)'),
    compat: Type.Optional(Type.Boolean({ description: "the official system's quirks, see docs/compat.md (false)" })),
    backend: Type.Optional(
      Type.Union([
        Type.Literal('auto'),
        Type.Literal('tensorflow'),
        Type.Literal('webgpu'),
        Type.Literal('wasm'),
        Type.Literal('cpu'),
      ]),
    ),
    threads: whole(1, 'of the backend'),
  },
  {
    additionalProperties: false,
    title: 'Training configuration',
    description: 'What `relflow train tagger|rlip|finetune --config` reads. Paths are relative to the file.',
  },
);
/** What a training run is told. */
export type TrainingConfig = Static<typeof TrainingConfigSchema>;

/** One data set of a training configuration. */
export type TrainingDataSet = Static<typeof DataSetSchema>;
