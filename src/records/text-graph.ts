import { type Static, Type } from './type.js';

const AttributeSchema = Type.Object({ text: Type.String(), lemma: Type.String() }, { additionalProperties: false });

export const EntitySchema = Type.Object(
  {
    span: Type.String({
      description: 'caption.slice(start, end): the noun phrase without its determiner; ends with its head',
    }),
    start: Type.Integer({ minimum: 0, description: 'UTF-16 offset in the caption' }),
    end: Type.Integer({ minimum: 0, description: 'UTF-16 offset in the caption, exclusive' }),
    head: Type.String({ description: 'the last word of the span as written, lower case' }),
    lemma: Type.String({ description: 'the singular of the head' }),
    name: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'the phrase in normal form, without attributes and quantity: `cellphone` for `cell phone`; absent where it is the span in lower case',
      }),
    ),
    attributes: Type.Array(AttributeSchema),
    quantity: Type.Optional(Type.String({ description: 'two, 3, group…' })),
  },
  { additionalProperties: false },
);
/** A noun phrase of a caption. */
export type Entity = Static<typeof EntitySchema>;

export const TextRelationSchema = Type.Object(
  {
    subject: Type.Integer({ minimum: 0, description: 'index in entities' }),
    object: Type.Integer({ minimum: 0, description: 'index in entities' }),
    predicate: Type.String({ minLength: 1, description: 'as written: sitting on' }),
    lemma: Type.String({ minLength: 1, description: 'with its verb as a lemma: sit on' }),
    confidence: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  },
  { additionalProperties: false },
);
/** What a caption says of two of its noun phrases. */
export type TextRelation = Static<typeof TextRelationSchema>;

export const TextGraphSchema = Type.Object(
  { entities: Type.Array(EntitySchema), relations: Type.Array(TextRelationSchema) },
  { additionalProperties: false },
);
/** A caption as a graph: its noun phrases and how they relate. */
export type TextGraph = Static<typeof TextGraphSchema>;

/** A record after `parse`. */
export interface Parsed {
  /** One graph a caption, in the captions' order. */
  readonly phrases: readonly TextGraph[];
}
