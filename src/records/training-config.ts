import { annotatedSetSchemas } from './annotated-set.js';
import { type Static, Type } from './type.js';

const integer = (minimum: number, description: string) => Type.Optional(Type.Integer({ minimum, description }));
const fraction = (description: string) => Type.Optional(Type.Number({ minimum: 0, maximum: 1, description }));
const nonNegative = (description: string) => Type.Optional(Type.Number({ minimum: 0, description }));
const sizes = (description: string) =>
  Type.Array(Type.Integer({ minimum: 16, maximum: 4096 }), { minItems: 1, description });
const path = (description: string) => Type.String({ minLength: 1, description });
const name = () => Type.String({ minLength: 1 });
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
          annotations: path("RLIPv2's JSON of pseudo-annotations: a file or a glob, may end in .gz"),
          filePaths: Type.Optional(path('JSON of {image id: path}, required for Objects365')),
        },
        closed,
      ),
    ),
    hico: Type.Optional(annotatedSetSchemas.hico),
    vcoco: Type.Optional(annotatedSetSchemas.vcoco),
    openImages: Type.Optional(annotatedSetSchemas.openImages),
    vg150: Type.Optional(annotatedSetSchemas.vg150),
    psg: Type.Optional(annotatedSetSchemas.psg),
    gqa: Type.Optional(annotatedSetSchemas.gqa),
    images: path('the folder of the images'),
  },
  { ...closed, description: 'one form of annotations, and the images' },
);

const AugmentationSchema = Type.Union(
  [
    Type.Literal('official'),
    Type.Literal('tiny'),
    Type.Literal('sprites'),
    Type.Object(
      {
        decodedShorterSide: Type.Optional(
          Type.Integer({
            minimum: 16,
            maximum: 4096,
            description: 'pixels of the shorter side to which each image is resized after decoding',
          }),
        ),
        flip: Type.Number({ minimum: 0, maximum: 1, description: 'probability of a mirrored image' }),
        colorJitter: Type.Number({
          minimum: 0,
          maximum: 1,
          description: 'largest relative change of brightness, contrast and saturation',
        }),
        shorterSides: sizes('pixels of the shorter side; one is drawn'),
        maxSize: Type.Integer({ minimum: 16, maximum: 8192, description: 'most pixels of the longer side' }),
        crop: Type.Optional(
          Type.Object(
            {
              probability: Type.Number({ minimum: 0, maximum: 1, description: 'of a cropped image' }),
              shorterSides: sizes('pixels of the shorter side before the crop; one is drawn'),
              size: Type.Array(Type.Integer({ minimum: 16, maximum: 4096 }), {
                minItems: 2,
                maxItems: 2,
                description: "least and most pixels of the crop's width and height",
              }),
            },
            { ...closed, description: 'random crops; none if omitted' },
          ),
        ),
      },
      closed,
    ),
  ],
  { description: 'random changes to images: a preset or its fields (official)' },
);

export const TrainingConfigSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    task: Type.Union([Type.Literal('tagger'), Type.Literal('rlip'), Type.Literal('finetune')], {
      description: 'train an R-Tagger, pre-train RLIPv2, or fine-tune RLIPv2 for a closed vocabulary',
    }),
    model: path('a preset: rTaggerR50, parsedaR50, tinyTagger, spriteTagger, tinyParseda…'),
    modelOptions: Type.Optional(
      Type.Object(
        {
          pairs: integer(1, 'pair queries of an image'),
          width: integer(4, 'channels of tokens and queries'),
          hidden: integer(1, 'width of the feed-forward layers'),
          encoderLayers: integer(1, 'number of encoder layers'),
          decoderLayers: integer(1, 'number of decoder layers'),
          dropout: fraction('dropout of encoder and decoders'),
        },
        { ...closed, description: 'changes to the preset' },
      ),
    ),
    initialWeights: Type.Optional(
      path('weights of the whole model to start from; without it weights are initialized from the seed'),
    ),
    startFrom: Type.Optional(path("another model's weights, of which arrays with the same name and shape are copied")),
    tokenizer: Type.Optional(path("a folder with roberta-base's tokenizer.json; tiny models need none")),
    data: Type.Array(DataSetSchema, { minItems: 1, description: 'training data; several sets are mixed' }),
    validation: Type.Optional(
      Type.Array(DataSetSchema, { minItems: 1, description: 'data on which the validation loss is computed' }),
    ),
    heldOut: Type.Optional(
      Type.Union(
        [
          Type.Array(
            Type.Object(
              { subject: Type.Optional(name()), predicate: Type.Optional(name()), object: Type.Optional(name()) },
              { ...closed, minProperties: 1 },
            ),
          ),
          Type.Literal('UC-RF'),
          Type.Literal('UC-NF'),
          Type.Literal('UO'),
          Type.Literal('UV'),
        ],
        {
          description:
            'relations that are removed from the training data, for zero-shot scores; images stay. The name of a setting stands for its unseen combinations of HICO-DET',
        },
      ),
    ),
    fewShot: Type.Optional(
      Type.Union(
        [
          Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
          path('a list of image files, one a line or a JSON array; one that is listed twice is trained on twice'),
        ],
        { description: 'trains on this fraction of the images, drawn so that every name occurs, or on listed ones' },
      ),
    ),
    vocabulary: Type.Optional(
      Type.Union(
        [
          Type.Object(
            {
              objects: Type.Array(name(), { minItems: 1, description: 'categories' }),
              relations: Type.Array(name(), { minItems: 1, description: 'predicates' }),
            },
            closed,
          ),
          Type.Object({ file: path('a JSON file of these two lists, or of obj and rel as in Open Images') }, closed),
          Type.Literal('hico'),
          Type.Literal('vcoco'),
        ],
        {
          description: 'the labels of every batch in their order, for task finetune: the lists, or those of a data set',
        },
      ),
    ),
    losses: Type.Optional(
      Type.Object(
        {
          qualityLabels: Type.Optional(
            Type.Boolean({ description: 'relational quality labels: targets are weighted by box quality (true)' }),
          ),
          pseudoLabels: Type.Optional(
            Type.Boolean({
              description:
                'relational pseudo-labels: similar predicates receive part of a target (true; false for task finetune)',
            }),
          ),
        },
        { ...closed, description: 'for tasks rlip and finetune' },
      ),
    ),
    emaDecay: Type.Optional(
      Type.Number({
        minimum: 0,
        exclusiveMaximum: 1,
        description: 'decay of an exponential moving average of the weights, e.g. 0.999; no average if omitted',
      }),
    ),
    relationThreshold: fraction('relations with less confidence are ignored (0.2)'),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 4294967295, description: 'of all random numbers (1)' })),
    epochs: Type.Integer({ minimum: 1, description: 'passes over the data' }),
    steps: integer(1, 'ends the training after this many steps, if the epochs have more'),
    batchSize: Type.Integer({ minimum: 1, maximum: 4096, description: 'images of a batch' }),
    accumulationSteps: integer(1, 'batches whose gradients are averaged for one step (1)'),
    labels: Type.Optional(
      Type.Object(
        {
          objects: Type.Integer({ minimum: 0, description: 'categories (333)' }),
          relations: Type.Integer({ minimum: 1, description: 'predicates (167)' }),
        },
        {
          ...closed,
          description: 'least number of labels of a batch; names of other images are drawn until it is reached',
        },
      ),
    ),
    paraphrases: Type.Optional(
      Type.Object(
        {
          probability: Type.Number({ minimum: 0, maximum: 1, description: 'that a predicate is paraphrased' }),
          phrases: Type.Record(Type.String(), Type.Array(name()), { description: 'paraphrases by predicate' }),
        },
        { ...closed, description: 'predicates in other words, drawn for each batch, for task tagger' },
      ),
    ),
    noise: Type.Optional(
      Type.Object(
        {
          label: Type.Number({ minimum: 0, maximum: 1, description: 'probability of a wrong label' }),
          box: Type.Number({ minimum: 0, maximum: 1, description: 'largest change of a box, relative to its size' }),
        },
        { ...closed, description: 'denoising queries (for taggers label 0.2 and box 0.4; for ParSeDA none)' },
      ),
    ),
    augmentation: Type.Optional(AugmentationSchema),
    optimizer: Type.Optional(
      Type.Object(
        {
          learningRate: nonNegative('of all other parameters (0.000141)'),
          backboneLearningRate: nonNegative('of the backbone; 0 freezes it (0.0000141)'),
          textLearningRate: nonNegative('of the text encoder; 0 freezes it (0.0000141)'),
          weightDecay: nonNegative('decoupled weight decay (0.0001)'),
          maxGradientNorm: nonNegative('gradients with a larger norm are scaled down; 0 disables clipping (0.1)'),
        },
        { ...closed, description: 'AdamW' },
      ),
    ),
    schedule: Type.Optional(
      Type.Union(
        [
          Type.Object(
            {
              kind: Type.Literal('step'),
              dropAfter: Type.Array(Type.Integer({ minimum: 1 }), {
                description: 'epochs after which the learning rate drops',
              }),
              factor: Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'of each drop' }),
              warmup: Type.Integer({ minimum: 0, description: 'steps of linear warm-up' }),
            },
            closed,
          ),
          Type.Object(
            {
              kind: Type.Literal('cosine'),
              floor: Type.Number({ minimum: 0, maximum: 1, description: 'factor at the end' }),
              warmup: Type.Integer({ minimum: 0, description: 'steps of linear warm-up' }),
            },
            closed,
          ),
        ],
        { description: 'factor of the learning rates over the steps (a tenth after epoch 15)' },
      ),
    ),
    canvasMultiple: integer(
      1,
      'pads each batch to a multiple of this many pixels, so that few shapes occur; on tensorflow, steps are recorded as graphs if it is given (1)',
    ),
    shuffleBuffer: integer(1, 'images in the shuffle buffer (2000)'),
    prefetch: Type.Optional(Type.Integer({ minimum: 0, maximum: 64, description: 'batches that are read ahead (2)' })),
    readers: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 64,
        description: 'threads that read images; 0 reads in the main thread (one less than processors, at most 4)',
      }),
    ),
    imageCacheMegabytes: integer(0, 'megabytes of decoded images that stay in memory (0)'),
    checkpointEvery: integer(1, 'steps between two checkpoints (500)'),
    keepCheckpoints: integer(1, 'number of checkpoints to keep (2)'),
    evaluation: Type.Optional(
      Type.Object(
        {
          hico: Type.Optional(annotatedSetSchemas.hico),
          vcoco: Type.Optional(annotatedSetSchemas.vcoco),
          openImages: Type.Optional(annotatedSetSchemas.openImages),
          images: path('the folder of the images'),
          training: Type.Optional(
            path(
              "HICO-DET's trainval_hico.json, whose counts decide which classes are rare; also of a few-shot training",
            ),
          ),
          setting: Type.Optional(
            Type.Union([Type.Literal('UC-RF'), Type.Literal('UC-NF'), Type.Literal('UO'), Type.Literal('UV')], {
              description: 'reports unseen and seen combinations of this setting of HICO-DET',
            }),
          ),
          everyEpochs: integer(1, 'epochs between two evaluations (1); the last step is always evaluated'),
        },
        {
          ...closed,
          description:
            "for task finetune: test data of hico or vcoco (PPDM's form) or openImages (JSON), on which relflow train computes the score that RLIPv2 reports while it trains; best.safetensors has the best weights",
        },
      ),
    ),
    evaluateEvery: integer(1, 'steps between two evaluations on the validation data (once an epoch)'),
    compat: Type.Optional(
      Type.Boolean({ description: "reproduces the official system's quirks, see docs/compat.md (false)" }),
    ),
    backend: Type.Optional(
      Type.Union(
        [
          Type.Literal('auto'),
          Type.Literal('tensorflow'),
          Type.Literal('webgpu'),
          Type.Literal('wasm'),
          Type.Literal('cpu'),
        ],
        { description: 'runs the tensors; auto is tensorflow if it is installed, else wasm (auto)' },
      ),
    ),
    threads: integer(1, 'threads of the backend'),
    eager: Type.Optional(
      Type.Boolean({
        description: 'runs each step operation by operation, also with canvasMultiple on tensorflow and webgpu (false)',
      }),
    ),
    tf32: Type.Optional(
      Type.Boolean({
        description:
          'lets tensorflow round the inputs of products to TF32 on an NVIDIA GPU: faster, about three correct digits (false)',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'Training configuration',
    description:
      'What `relflow train tagger|rlip|finetune --config` and `readTrainingConfig()` read. Paths are relative to the file.',
  },
);

/** A training configuration, see `schemas/training.schema.json`. */
export interface TrainingConfig extends Static<typeof TrainingConfigSchema> {}

/** One data set of a training configuration. */
export interface TrainingDataSet extends Static<typeof DataSetSchema> {}
