import { type Static, Type } from './type.js';

const Sha256Schema = Type.String({ pattern: '^[0-9a-f]{64}$' });
const JsonObjectSchema = Type.Unsafe<Record<string, unknown>>({ type: 'object' });

export const QuestionSchema = Type.Object(
  {
    protocol: Type.String({ minLength: 1, description: 'hf-chat, hf-blip, transformers-js, factual-t5' }),
    model: Type.String({ minLength: 1 }),
    prompt: Type.String({ description: 'empty where the model takes none' }),
    parameters: Type.Unsafe<Record<string, unknown>>({
      ...JsonObjectSchema,
      description: 'whatever else can change the answer: lengths, sampling, the size of the image that is sent',
    }),
  },
  { additionalProperties: false },
);
/** How a model is asked: everything that can change its answer but what it is asked about and the seed. */
export type Question = Static<typeof QuestionSchema>;

export const TokensSchema = Type.Object(
  { input: Type.Integer({ minimum: 0 }), output: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false },
);
/** Tokens of a request, as the server counts them. */
export type Tokens = Static<typeof TokensSchema>;

export const ReplySchema = Type.Object(
  {
    text: Type.String({ description: 'as the model wrote it, trimmed; empty where it wrote nothing' }),
    refused: Type.Optional(Type.Literal(true, { description: 'the model or its provider would not answer' })),
    cut: Type.Optional(Type.Literal(true, { description: 'the answer ended at the limit of its length' })),
    tokens: Type.Optional(TokensSchema),
  },
  { additionalProperties: false },
);
/** What a model answered. */
export type Reply = Static<typeof ReplySchema>;

export const AnswerSchema = Type.Object(
  {
    format: Type.Literal('relflow.answer/1'),
    question: QuestionSchema,
    subject: Type.Unsafe<string>({ ...Sha256Schema, description: 'SHA-256 of the image file, or of the text' }),
    seed: Type.Integer({ minimum: 0, description: 'which of several answers; 0 where there is one only' }),
    reply: ReplySchema,
    at: Type.String({ description: 'when it was answered, ISO 8601' }),
  },
  {
    additionalProperties: false,
    title: 'Answer',
    description: 'One line of `relflow captions export`: what a model was asked and what it answered.',
  },
);
/** What a model was asked and what it answered. */
export type Answer = Static<typeof AnswerSchema>;
