import { type Static, Type } from './type.js';

const AttributeSchema = Type.Object({ text: Type.String(), lemma: Type.String() }, { additionalProperties: false });

const EntitySchema = Type.Object(
  {
    span: Type.String({
      description: 'caption.slice(start, end): the noun phrase without its determiner; it ends with its head',
    }),
    start: Type.Integer({ minimum: 0, description: 'UTF-16 offset in the caption' }),
    end: Type.Integer({ minimum: 0, description: 'UTF-16 offset in the caption, exclusive' }),
    head: Type.String({ description: 'the last word of the span, in lower case' }),
    lemma: Type.String({ description: 'the singular form of the head' }),
    name: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'the normalized phrase without attributes and quantity: `cellphone` for `cell phone`; omitted if it equals the span in lower case',
      }),
    ),
    attributes: Type.Array(AttributeSchema),
    quantity: Type.Optional(Type.String({ description: 'two, 3, group…' })),
  },
  { additionalProperties: false },
);
/** A noun phrase of a caption. */
export type Entity = Static<typeof EntitySchema>;

const TextRelationSchema = Type.Object(
  {
    subject: Type.Integer({ minimum: 0, description: 'index into entities' }),
    object: Type.Integer({ minimum: 0, description: 'index into entities' }),
    predicate: Type.String({
      description:
        "words of the caption in lower case, without auxiliaries and articles: `sitting on`; `'s` or `his` for an owner. Empty only if the caption has no words for the relation, as in `a table leg`",
    }),
    lemma: Type.String({ description: 'the predicate with its verb lemmatized: `sit on`' }),
    inferred: Type.Optional(
      Type.Object(
        {
          lemma: Type.String({ minLength: 1, description: '`wear` where the caption says `in`, `have` for `of`' }),
          swapped: Type.Optional(
            Type.Literal(true, {
              description: 'the object is the subject of this predicate: snow covers a field that is `covered with` it',
            }),
          ),
        },
        {
          additionalProperties: false,
          description: 'how annotators of scene graphs word the relation, if not by its lemma',
        },
      ),
    ),
    confidence: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  },
  { additionalProperties: false },
);
/** A relation that a caption states between two of its noun phrases. */
export type TextRelation = Static<typeof TextRelationSchema>;

const CoreferenceSchema = Type.Object(
  {
    span: Type.String({ description: 'caption.slice(start, end): `She`, `its`, `man` of `the man`, `one`' }),
    start: Type.Integer({ minimum: 0, description: 'UTF-16 offset in the caption' }),
    end: Type.Integer({ minimum: 0, description: 'UTF-16 offset in the caption, exclusive' }),
    entities: Type.Array(Type.Integer({ minimum: 0 }), {
      minItems: 1,
      description: 'indices of the entities that it stands for; of `one-of`, the entities of which it is a part',
    }),
    rule: Type.Union(
      [
        Type.Literal('pronoun'),
        Type.Literal('possessive'),
        Type.Literal('same-noun'),
        Type.Literal('same-kind'),
        Type.Literal('one-of'),
        Type.Literal('both'),
      ],
      { description: 'why: docs/parser.md has the rules' },
    ),
  },
  { additionalProperties: false },
);
/** Words that stand for an entity that the caption names elsewhere. */
export type Coreference = Static<typeof CoreferenceSchema>;

export const TextGraphSchema = Type.Object(
  {
    entities: Type.Array(EntitySchema),
    relations: Type.Array(TextRelationSchema),
    coreference: Type.Optional(
      Type.Array(CoreferenceSchema, { description: 'in reading order; omitted if there are none' }),
    ),
  },
  { additionalProperties: false },
);
/** The graph of a caption: its noun phrases and their relations. */
export type TextGraph = Static<typeof TextGraphSchema>;

/** The fields that `parse` adds to a record. */
export interface Parsed {
  /** One graph per caption, in the order of the captions. */
  readonly phrases: readonly TextGraph[];
}
