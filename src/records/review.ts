import { IdSchema } from './image.js';
import { type Static, Type } from './type.js';

const closed = { additionalProperties: false } as const;

const ObjectRefSchema = Type.Object(
  {
    place: Type.Integer({ minimum: 0, description: "index into the image's objects" }),
    id: IdSchema,
  },
  { ...closed, description: 'an object: by its place if the id there is the same, else by its id' },
);

const ReviewedRelationSchema = Type.Object(
  {
    subject: ObjectRefSchema,
    predicate: Type.String({ minLength: 1, maxLength: 200 }),
    object: Type.Union([ObjectRefSchema, Type.Null()], { description: 'null for a relation without an object' }),
  },
  closed,
);
/** A relation as an edit names it. */
export type ReviewedRelation = Static<typeof ReviewedRelationSchema>;

const Answer = (description: string) =>
  Type.Optional(Type.Union([Type.Literal('yes'), Type.Literal('no'), Type.Literal('?')], { description }));

const WhatSchema = Type.Union([
  Type.Object({ action: Type.Literal('approve') }, { ...closed, description: 'the relation holds' }),
  Type.Object(
    {
      action: Type.Literal('reject'),
      triplet: Answer('whether it holds between some two things of these categories in the image'),
      match: Answer('whether both boxes are what the relation speaks of'),
    },
    { ...closed, description: 'the relation does not hold' },
  ),
  Type.Object({ action: Type.Literal('unsure') }, { ...closed, description: 'the person cannot tell' }),
  Type.Object(
    { action: Type.Literal('change'), to: ReviewedRelationSchema },
    { ...closed, description: 'the relation should be another one' },
  ),
  Type.Object({ action: Type.Literal('add') }, { ...closed, description: 'the relation is missing in the set' }),
  Type.Object(
    { action: Type.Literal('undo'), edit: Type.String({ minLength: 1, description: 'id of the edit' }) },
    { ...closed, description: 'takes an edit back, which may be an undo itself' },
  ),
]);

export const ReviewSchema = Type.Object(
  {
    format: Type.Literal('relflow.review/1'),
    id: Type.String({ pattern: '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$', description: 'a UUID' }),
    who: Type.String({ minLength: 1, maxLength: 200 }),
    when: Type.String({
      pattern: String.raw`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`,
      description: 'ISO 8601 in UTC, with milliseconds',
    }),
    image: Type.Object({ dataset: Type.String(), id: IdSchema, file: Type.String() }, closed),
    relation: ReviewedRelationSchema,
    what: WhatSchema,
  },
  {
    additionalProperties: false,
    title: 'Review',
    description:
      'One line of reviews.jsonl: what a person did to one relation of an image. The order of the lines does not matter: edits are ordered by time and then by id, and an id that occurs twice is one edit.',
  },
);
/** What a person did to one relation of an image. */
export type Review = Static<typeof ReviewSchema>;
