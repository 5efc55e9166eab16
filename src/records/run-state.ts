import { CheckSchema, InputFileSchema, NodeDescriptionSchema, Sha256Schema, StageCountsSchema } from './manifest.js';
import { type Static, Type } from './type.js';

const ShardingSchema = Type.Object(
  {
    records: Type.Integer({ minimum: 1, description: 'maximum number of input records per shard' }),
    bytes: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
      description: 'a shard ends when one of its files reaches this uncompressed size; null for no limit',
    }),
    gzip: Type.Boolean(),
  },
  { additionalProperties: false },
);
/** How a run divides its output into shards. */
export type Sharding = Static<typeof ShardingSchema>;

export const RunStateSchema = Type.Object(
  {
    format: Type.Literal('relflow.run/1'),
    relflow: Type.String({ description: 'version' }),
    pipeline: Type.String(),
    options: Type.Union([Type.Unsafe<Record<string, unknown>>({ type: 'object' }), Type.Null()], {
      description: 'the options of the pipeline; null if it was composed in code',
    }),
    graph: Type.Array(NodeDescriptionSchema),
    inputs: Type.Array(InputFileSchema),
    sharding: ShardingSchema,
  },
  {
    additionalProperties: false,
    title: 'Run',
    description:
      '.relflow/run.json: the definition of a run, written before its first record, so that it can be resumed.',
  },
);
/** The definition of a run: enough to resume it, and to detect an attempt to resume a different one. */
export type RunState = Static<typeof RunStateSchema>;

export const ExtentSchema = Type.Object(
  {
    format: Type.Literal('relflow.extent/1'),
    records: Type.Integer({ minimum: 0 }),
  },
  {
    additionalProperties: false,
    title: 'Extent',
    description:
      '.relflow/extent.json: the number of input records of a run, present while several processes work on the run.',
  },
);
/** The number of input records of a run. */
export type Extent = Static<typeof ExtentSchema>;

export const ProgressSchema = Type.Object(
  {
    format: Type.Literal('relflow.progress/1'),
    shard: Type.Integer({ minimum: 0 }),
    first: Type.Integer({ minimum: 0 }),
    records: Type.Integer({ minimum: 0 }),
    stages: Type.Unsafe<Record<string, Static<typeof StageCountsSchema>>>({
      type: 'object',
      additionalProperties: StageCountsSchema,
    }),
    files: Type.Unsafe<Record<string, { records: number; bytes: number; sha256: string }>>({
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: {
          records: { type: 'integer', minimum: 0 },
          bytes: { type: 'integer', minimum: 0 },
          sha256: Sha256Schema,
        },
        required: ['records', 'bytes', 'sha256'],
        additionalProperties: false,
      },
    }),
    check: Type.Optional(CheckSchema),
  },
  {
    additionalProperties: false,
    title: 'Progress',
    description: '.relflow/progress.json: the progress of the current shard.',
  },
);
/**
 * The progress of the current shard. Its files may be longer on disk: only the bytes and records given here are valid.
 */
export type Progress = Static<typeof ProgressSchema>;
