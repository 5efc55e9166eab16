import { type Static, Type } from './type.js';

const Sha256Schema = Type.String({ pattern: '^[0-9a-f]{64}$' });
const JsonObjectSchema = Type.Unsafe<Record<string, unknown>>({ type: 'object' });

const QuestionSchema = Type.Object(
  {
    protocol: Type.String({
      minLength: 1,
      description: 'hf-chat, hf-blip, transformers-js, factual-t5, vlm-tagger, vlm-proposer',
    }),
    model: Type.String({ minLength: 1 }),
    prompt: Type.String({ description: 'empty if the model takes no prompt' }),
    parameters: Type.Unsafe<Record<string, unknown>>({
      ...JsonObjectSchema,
      description: 'everything else that can change the answer: lengths, sampling, the size of the image that is sent',
    }),
  },
  { additionalProperties: false },
);
/** Describes a request to a model: everything that can change the answer, except the subject and the seed. */
export type Question = Static<typeof QuestionSchema>;

const TokensSchema = Type.Object(
  { input: Type.Integer({ minimum: 0 }), output: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false },
);
/** Number of tokens of a request, as counted by the server. */
export type Tokens = Static<typeof TokensSchema>;

const TokenLogprobSchema = Type.Object(
  {
    token: Type.String(),
    logprob: Type.Number({ description: 'natural logarithm of its probability, to four decimals' }),
    top: Type.Optional(
      Type.Array(Type.Object({ token: Type.String(), logprob: Type.Number() }, { additionalProperties: false }), {
        description: 'the most likely tokens at its place',
      }),
    ),
  },
  { additionalProperties: false },
);
/** A token of an answer with the logarithm of its probability. */
export type TokenLogprob = Static<typeof TokenLogprobSchema>;

const ReplySchema = Type.Object(
  {
    text: Type.String({ description: 'the text that the model wrote, trimmed; empty if it wrote nothing' }),
    others: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: 'the texts of further choices, if the request asked for several in one answer',
      }),
    ),
    refused: Type.Optional(Type.Literal(true, { description: 'the model or its provider refused to answer' })),
    cut: Type.Optional(Type.Literal(true, { description: 'the answer was cut off at the length limit' })),
    thoughts: Type.Optional(
      Type.Literal(true, { description: 'thoughts were cut from the text; it is empty if there was nothing else' }),
    ),
    tokens: Type.Optional(TokensSchema),
    logprobs: Type.Optional(
      Type.Array(TokenLogprobSchema, {
        description: 'the tokens of the answer, if they were requested and the server gave them',
      }),
    ),
  },
  { additionalProperties: false },
);
/** The reply of a model to one question. */
export type Reply = Static<typeof ReplySchema>;

export const AnswerSchema = Type.Object(
  {
    format: Type.Literal('relflow.answer/1'),
    question: QuestionSchema,
    subject: Type.Unsafe<string>({ ...Sha256Schema, description: 'SHA-256 of the image file, or of the text' }),
    seed: Type.Integer({ minimum: 0, description: 'which of several answers; 0 if there is only one' }),
    reply: ReplySchema,
    at: Type.String({ description: 'when the model answered, ISO 8601' }),
  },
  {
    additionalProperties: false,
    title: 'Answer',
    description: 'One line of `relflow captions export`: a question to a model and its answer.',
  },
);
/** A question to a model, the subject it was asked about, and the model's reply. */
export type Answer = Static<typeof AnswerSchema>;
