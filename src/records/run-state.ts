import { InputFileSchema, NodeDescriptionSchema, StageCountsSchema } from './manifest.js';
import { type Static, Type } from './type.js';

export const ShardingSchema = Type.Object(
  {
    records: Type.Integer({ minimum: 1, description: 'a shard covers at most so many records of the input' }),
    bytes: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
      description: 'a shard ends where one of its files reaches this size, uncompressed; null for no bound',
    }),
    gzip: Type.Boolean(),
  },
  { additionalProperties: false },
);
/** How a run is cut into shards. */
export type Sharding = Static<typeof ShardingSchema>;

export const RunStateSchema = Type.Object(
  {
    format: Type.Literal('relflow.run/1'),
    relflow: Type.String({ description: 'version' }),
    pipeline: Type.String(),
    options: Type.Union([Type.Unsafe<Record<string, unknown>>({ type: 'object' }), Type.Null()], {
      description: 'what the pipeline was made with; null where it was composed in code',
    }),
    graph: Type.Array(NodeDescriptionSchema),
    inputs: Type.Array(InputFileSchema),
    sharding: ShardingSchema,
  },
  {
    additionalProperties: false,
    title: 'Run',
    description: '.relflow/run.json: what a run is, written before its first record, so that it can be resumed.',
  },
);
/** What a run is: enough to resume it, and to refuse to resume something else. */
export type RunState = Static<typeof RunStateSchema>;

export const ExtentSchema = Type.Object(
  {
    format: Type.Literal('relflow.extent/1'),
    records: Type.Integer({ minimum: 0 }),
  },
  {
    additionalProperties: false,
    title: 'Extent',
    description: '.relflow/extent.json: how many records the input of a run has, as long as several processes do it.',
  },
);
/** How long the input of a run is. */
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
    files: Type.Unsafe<Record<string, { records: number; bytes: number }>>({
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: { records: { type: 'integer', minimum: 0 }, bytes: { type: 'integer', minimum: 0 } },
        required: ['records', 'bytes'],
        additionalProperties: false,
      },
    }),
  },
  {
    additionalProperties: false,
    title: 'Progress',
    description: '.relflow/progress.json: how far the shard in work has come.',
  },
);
/** How far the shard in work has come: its files may be longer, up to the last line that counts. */
export type Progress = Static<typeof ProgressSchema>;
