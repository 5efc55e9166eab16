import { type Static, Type } from './type.js';

const CountSchema = Type.Integer({ minimum: 0 });
const CountsSchema = Type.Unsafe<Record<string, number>>({
  type: 'object',
  additionalProperties: { type: 'integer', minimum: 0 },
});
export const Sha256Schema = Type.String({ pattern: '^[0-9a-f]{64}$' });
/** A field of files that a resume trusts. */
export const CheckSchema = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256 of the other fields as JSON with sorted keys, by which a change of the file is noticed',
});

export const StageCountsSchema = Type.Object(
  {
    in: CountSchema,
    out: CountSchema,
    filtered: CountSchema,
    rejected: CountsSchema,
    counts: CountsSchema,
  },
  { additionalProperties: false },
);
/**
 * Counts of the records that passed through one stage: `filtered` records were removed on purpose, `rejected` records
 * are counted by reason, and `counts` holds the stage's own counters by name, such as crowd boxes.
 */
export type StageCounts = Static<typeof StageCountsSchema>;

const StagesSchema = Type.Unsafe<Record<string, StageCounts>>({
  type: 'object',
  additionalProperties: StageCountsSchema,
});

/** A name without separators and control characters that is not hidden. */
const NAME = String.raw`^[^./\\\u0000-\u001f][^/\\\u0000-\u001f]*$`;
/** A relative path that neither leaves its folder nor is in `.relflow`. */
const PATH = String.raw`^(?!(?:.*/)?\.{1,2}(?:/|$))(?!\.relflow(?:/|$))(?![A-Za-z]:)[^/\\\u0000-\u001f]+(?:/[^/\\\u0000-\u001f]+)*$`;

const OutputFileSchema = Type.Object(
  {
    sink: Type.String({ pattern: NAME, description: 'name of the sink, or of the format of an export' }),
    path: Type.String({ pattern: PATH, description: 'relative to the output folder, with forward slashes' }),
    records: CountSchema,
    bytes: CountSchema,
    sha256: Sha256Schema,
    notes: Type.Optional(
      Type.Unsafe<Record<string, { readonly count: number; readonly example: string }>>({
        type: 'object',
        additionalProperties: Type.Object(
          { count: CountSchema, example: Type.String() },
          { additionalProperties: false },
        ),
        description: 'what the format of an export could not carry: how often, and an example, by name',
      }),
    ),
  },
  { additionalProperties: false },
);
/** One complete output file of a run. */
export type OutputFile = Static<typeof OutputFileSchema>;

export const ShardSchema = Type.Object(
  {
    format: Type.Literal('relflow.shard/1'),
    shard: Type.Integer({ minimum: 0 }),
    first: Type.Integer({ minimum: 0, description: 'position of its first record in the run’s input' }),
    records: CountSchema,
    stages: StagesSchema,
    files: Type.Array(OutputFileSchema),
    check: Type.Optional(CheckSchema),
  },
  {
    additionalProperties: false,
    title: 'Shard',
    description: 'Written when a shard is complete: the input records that it covers, and its files.',
  },
);
/** The marker of a complete shard. */
export type Shard = Static<typeof ShardSchema>;

export const InputFileSchema = Type.Object(
  { path: Type.String({ description: 'base name' }), bytes: CountSchema, sha256: Sha256Schema },
  { additionalProperties: false },
);
/** One input file of a run. */
export type InputFile = Static<typeof InputFileSchema>;

export const NodeDescriptionSchema = Type.Object(
  {
    id: Type.String(),
    kind: Type.Union([
      Type.Literal('source'),
      Type.Literal('stage'),
      Type.Literal('merge'),
      Type.Literal('sink'),
      Type.Literal('finisher'),
    ]),
    name: Type.String(),
    version: Type.String(),
    options: Type.Unsafe<Record<string, unknown>>({ type: 'object' }),
    needs: Type.Array(Type.String(), { description: 'fields that a record must have' }),
    adds: Type.Array(Type.String(), { description: 'fields that the node adds to a record' }),
    inputs: Type.Array(Type.String(), { description: 'ids of the nodes before it' }),
  },
  { additionalProperties: false },
);
/** One node of a graph, as data. */
export type NodeDescription = Static<typeof NodeDescriptionSchema>;

export const ManifestSchema = Type.Object(
  {
    format: Type.Literal('relflow.manifest/1'),
    relflow: Type.String({ description: 'version' }),
    pipeline: Type.String(),
    graph: Type.Array(NodeDescriptionSchema),
    inputs: Type.Array(InputFileSchema),
    records: CountSchema,
    stages: StagesSchema,
    files: Type.Array(OutputFileSchema),
  },
  {
    additionalProperties: false,
    title: 'Run manifest',
    description: 'manifest.json: what a run read, did and wrote. It is written last, after all other files.',
  },
);
/** A record of what a finished run read, did and wrote. */
export type Manifest = Static<typeof ManifestSchema>;
