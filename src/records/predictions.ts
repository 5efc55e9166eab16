import { CornersSchema } from './corners.js';
import { IdSchema } from './image.js';
import { type Static, Type } from './type.js';

const names = { minItems: 1, uniqueItems: true };

const PredictionsHeaderSchema = Type.Object(
  {
    predictions: Type.Literal(1, { description: 'version of this form' }),
    objects: Type.Array(Type.String({ minLength: 1 }), {
      ...names,
      description: 'names of the categories that the model was asked for',
    }),
    predicates: Type.Array(Type.String({ minLength: 1 }), {
      ...names,
      description: 'names of the predicates or verbs that the model was asked for, in the order of `scores`',
    }),
    fused: Type.Boolean({
      description:
        'true: `scores` are complete, such as verb × object in HICO-DET; false: they are those of the predicates alone, which evaluators multiply by the scores of the objects',
    }),
    settings: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description:
          'how the predictions were made: model, weights and their checksum, input size; evaluators print it',
      }),
    ),
  },
  { additionalProperties: false, title: 'Header' },
);
/** The first line of a file of predictions. */
export type PredictionsHeader = Static<typeof PredictionsHeaderSchema>;

const ImagePredictionsSchema = Type.Object(
  {
    image: Type.Object(
      {
        id: Type.Optional(IdSchema),
        file: Type.Optional(Type.String({ minLength: 1, description: 'name of the image file as in the annotations' })),
      },
      { additionalProperties: false, minProperties: 1, description: 'the image, by its id, its file or both' },
    ),
    objects: Type.Array(
      Type.Object(
        {
          xyxy: CornersSchema,
          category: Type.String({ minLength: 1, description: 'one of the objects of the header' }),
          score: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'omitted: 1' })),
        },
        { additionalProperties: false },
      ),
    ),
    pairs: Type.Array(
      Type.Object(
        {
          subject: Type.Integer({ minimum: 0, description: 'index in objects' }),
          object: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
            description: 'index in objects; null if the relation has no object, which V-COCO allows',
          }),
          scores: Type.Array(Type.Number({ minimum: 0, maximum: 1 }), {
            description: 'one score for each predicate of the header',
          }),
        },
        { additionalProperties: false },
      ),
      {
        description:
          'For scene graphs in the order of falling predicate × subject × object score, which evaluators keep',
      },
    ),
  },
  { additionalProperties: false, title: 'Image' },
);
/** The predictions for one image: a line of a file of predictions after the first. */
export type ImagePredictions = Static<typeof ImagePredictionsSchema>;

export const PredictionsSchema = Type.Union([PredictionsHeaderSchema, ImagePredictionsSchema], {
  title: 'Predictions',
  description:
    'One line of a JSONL file of predictions: the first is the header, each further one an image. `relflow predict` writes it, `relflow evaluate hico|vcoco|open-images|scene-graphs` reads it.',
});
