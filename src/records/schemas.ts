import { AnswerSchema } from './answer.js';
import { CaptionMapSchema, CocoCaptionsSchema } from './caption-file-schemas.js';
import { ExportManifestSchema } from './export-manifest.js';
import { JudgmentSchema } from './judgment.js';
import { ManifestSchema, ShardSchema } from './manifest.js';
import { PredictionsSchema } from './predictions.js';
import { RejectSchema } from './reject.js';
import { RelationJudgmentSchema } from './relation-judgment.js';
import { ReviewSchema } from './review.js';
import { ExtentSchema, ProgressSchema, RunStateSchema } from './run-state.js';
import { CandidateSetSchema, SceneGraphSchema } from './scene-graph.js';
import { StoredModelSchema } from './stored-model-schema.js';
import { TrainingConfigSchema } from './training-config.js';

const base = 'https://relflow.dev/schemas';

/**
 * The JSON Schemas (2020-12) of all kinds of files, by name. The folder `schemas/` has the same schemas as files, which
 * `npm run schemas` writes.
 */
export const schemas = {
  'scene-graph': SceneGraphSchema,
  candidates: CandidateSetSchema,
  reject: RejectSchema,
  shard: ShardSchema,
  manifest: ManifestSchema,
  run: RunStateSchema,
  progress: ProgressSchema,
  extent: ExtentSchema,
  export: ExportManifestSchema,
  answer: AnswerSchema,
  'captions-by-image': CaptionMapSchema,
  'captions-coco': CocoCaptionsSchema,
  judgment: JudgmentSchema,
  predictions: PredictionsSchema,
  'relation-judgment': RelationJudgmentSchema,
  review: ReviewSchema,
  training: TrainingConfigSchema,
  model: StoredModelSchema,
} as const;

/** The name of a kind of file. */
export type SchemaName = keyof typeof schemas;

/** Returns a schema as in `schemas/<name>.schema.json`, with `$schema` and `$id`. */
export function schemaDocument(name: SchemaName): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `${base}/${name}.schema.json`,
    ...schemas[name],
  };
}
