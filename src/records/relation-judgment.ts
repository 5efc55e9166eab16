import { type Static, Type } from './type.js';

const Verdict = (description: string) =>
  Type.Optional(
    Type.Union([Type.Literal('yes'), Type.Literal('no'), Type.Literal('?')], {
      description: `${description}; ?: a person cannot tell; empty: not judged yet`,
    }),
  );

export const RelationJudgmentSchema = Type.Object(
  {
    relation: Type.Integer({ minimum: 1, description: 'number of the relation on the sheets' }),
    image: Type.String({ minLength: 1, description: 'file of the image' }),
    subject: Type.String({ minLength: 1, description: 'category of the box drawn in yellow, marked S' }),
    predicate: Type.String({ minLength: 1 }),
    object: Type.String({ minLength: 1, description: 'category of the box drawn in cyan with dashes, marked O' }),
    confidence: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'empty if people annotated the relation' }),
    ),
    source: Type.String({ minLength: 1, description: 'caption, geometry…: what states the relation' }),
    subjects: Type.Integer({ minimum: 1, description: "boxes of the image with the subject's category" }),
    objects: Type.Integer({ minimum: 1, description: "boxes of the image with the object's category" }),
    match: Verdict('yes: both boxes are what the relation speaks of, whatever it says of them'),
    triplet: Verdict('yes: the relation holds between some two things of these categories in the image'),
    pair: Verdict('yes: the relation holds between the two boxes that are drawn'),
  },
  {
    title: 'Judgment of a relation',
    description:
      'One row of the CSV file that `relflow sample` writes and a person fills in, for `relflow evaluate judged`. Empty fields are omitted; other columns are ignored.',
  },
);
/** The judgment of a person about one relation of an image. */
export type RelationJudgment = Static<typeof RelationJudgmentSchema>;
