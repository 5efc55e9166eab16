import { IdSchema } from './image.js';
import { type Static, Type } from './type.js';

export const RejectSchema = Type.Object(
  {
    format: Type.Literal('relflow.reject/1'),
    stage: Type.String({ description: 'the stage that rejected it' }),
    reason: Type.String({ pattern: '^[a-z0-9-]+$', description: 'kebab-case; rejects are counted by it' }),
    message: Type.String(),
    record: Type.Integer({ minimum: 0, description: 'position of the record in the run’s input, from 0' }),
    image: Type.Optional(IdSchema),
    detail: Type.Optional(Type.Unknown({ description: 'what was rejected, as far as it is known' })),
  },
  {
    additionalProperties: false,
    title: 'Reject',
    description: 'One line of a reject shard: what was rejected, where and why.',
  },
);
/** One line of a reject shard. */
export type Reject = Static<typeof RejectSchema>;
