// The public data API. Loads no tensor library.
export { type CaptionFileOptions, captionFile } from './captioners/caption-file.js';
export { type HfBlipOptions, hfBlip } from './captioners/hf-blip.js';
export { type HfChatOptions, hfChat } from './captioners/hf-chat.js';
export { type TransformersJsOptions, transformersJs } from './captioners/transformers-js.js';
export type { AnswerFilter } from './endpoints/answer-filter.js';
export { answerStatistics, type QuestionStatistics } from './endpoints/answer-statistics.js';
export { AnswerStore, openExistingStore, questionKey } from './endpoints/answer-store.js';
export type { CachedAnswersOptions } from './endpoints/cached-answers.js';
export { answerLines, captionsByImage } from './endpoints/export-answers.js';
export { type ForgetResult, forgetAnswers } from './endpoints/forget-answers.js';
export { type ImportResult, importAnswers } from './endpoints/import-answers.js';
export type { PolicyOptions } from './endpoints/policy-options.js';
export { defaultStoreFolder } from './endpoints/store-folder.js';
export type { Prices, Usage } from './endpoints/usage.js';
export {
  EndpointError,
  InputError,
  OptionError,
  OutputError,
  RecordError,
  RelflowError,
  WiringError,
} from './errors.js';
export { type EvaluateRelationsOptions, evaluateRelations } from './evaluation/benchmarks/evaluate-relations.js';
export { pairNms, type RelationReport, RelationScores } from './evaluation/benchmarks/relation-scores.js';
export { type CaptionWords, wordNetWords } from './evaluation/parser/caption-words.js';
export {
  type EvaluateParserOptions,
  evaluateParser,
  type FailedCaption,
  type GoldCaption,
  type ParserEvaluation,
  type ParserScores,
} from './evaluation/parser/evaluate-parser.js';
export { goldCaptions, type RejectedRow } from './evaluation/parser/gold-captions.js';
export { PARSER_ERRORS, type ParserError } from './evaluation/parser/parser-errors.js';
export {
  type CompareTaggersOptions,
  compareTaggers,
  type NamedTagger,
  type Names,
  namesOf,
  type TaggerScores,
} from './evaluation/predicates/compare-taggers.js';
export { type EvaluatePredicatesOptions, evaluatePredicates } from './evaluation/predicates/evaluate-predicates.js';
export { type Perturbation, perturbDetections } from './evaluation/predicates/perturb-detections.js';
export {
  averagePrecision,
  type PredicateReport,
  type PredicateResult,
  PredicateScores,
} from './evaluation/predicates/predicate-scores.js';
export { type DatasetStatistics, datasetStatistics } from './evaluation/statistics/dataset-statistics.js';
export { checkWiring } from './graph/check-wiring.js';
export { describeGraph, drawMermaid, drawText } from './graph/describe-graph.js';
export type { StageLoad } from './graph/engine/stage-metrics.js';
export { Flow, Graph, type RecordOf } from './graph/graph.js';
export { buildRecipe, type OptionsSchema, type Recipe, recipe } from './graph/recipe.js';
export { type CaptionOptions, caption } from './operators/caption.js';
export { filter } from './operators/filter.js';
export { type MatchOptions, match } from './operators/match.js';
export {
  FILTERED,
  type Lane,
  type Operator,
  type OperatorContext,
  type OperatorSpec,
  operator,
} from './operators/operator.js';
export { inOrder, orderedMap } from './operators/ordered-map.js';
export { type PairOptions, pair } from './operators/pair.js';
export { parse } from './operators/parse.js';
export { parsed } from './operators/parsed.js';
export { type SampleOptions, sample } from './operators/sample.js';
export { type TagOptions, tag } from './operators/tag.js';
export { packageRoot, version } from './package-info.js';
export { type NeuralParserOptions, neuralParser } from './parser/neural/neural-parser.js';
export { parsedGraphFile } from './parser/parsed-graph-file.js';
export { type FactualT5Options, factualT5 } from './parser/remote/factual-t5.js';
export { ruleParser } from './parser/rules/rule-parser.js';
export { textParser, textParsers } from './parser/text-parser.js';
export { threadedParser } from './parser/threaded-parser.js';
export type { Answer, Question, Reply, Tokens } from './records/answer.js';
export { type Box, clampBox, intersection, iou, overlaps } from './records/box.js';
export type { CandidatePair, Candidates, CandidateText, Matched, Mention } from './records/candidate.js';
export { type CandidateGroup, officialGroups } from './records/candidate-groups.js';
export type { CaptionMap, CocoCaptions } from './records/caption-file-schemas.js';
export type { Caption, Captioned } from './records/caption-record.js';
export {
  type FactualAttribute,
  type FactualGraph,
  type FactualRelation,
  parseFactual,
  printFactual,
  toFactual,
} from './records/factual-graph.js';
export type { Detection, Id, Image, ImageRecord, Origin } from './records/image.js';
export type { InputFile, Manifest, NodeDescription, OutputFile, Shard, StageCounts } from './records/manifest.js';
export type {
  Captioner,
  Forecast,
  ParseContext,
  RelationTagger,
  Source,
  SourceContext,
  SourceItem,
  SourceProgress,
  SourceReject,
  TagRequest,
  TextParser,
} from './records/ports.js';
export type { Reject } from './records/reject.js';
export type {
  CandidateSet,
  OperatorStamp,
  Provenance,
  Related,
  Relation,
  SceneGraph,
  Tagger,
} from './records/scene-graph.js';
export { fitsSchema, schemaProblem, type TypeOf } from './records/schema-problem.js';
export { type SchemaName, schemaDocument, schemas } from './records/schemas.js';
export type { Entity, Parsed, TextGraph, TextRelation } from './records/text-graph.js';
export { type Static, Type } from './records/type.js';
export { REJECTS, RunFolder, schemaLines } from './run-folder/run-folder.js';
export { type Problem, validateRun } from './run-folder/validate-run.js';
export { type FinishOptions, finishShards } from './runs/finish-shards.js';
export { forecast, type StageForecast } from './runs/forecast.js';
export { inputFiles } from './runs/graph-inputs.js';
export { type Inspection, inspect } from './runs/inspect.js';
export { type ModelUsage, type RunOptions, type RunProgress, type RunResult, run } from './runs/run.js';
export { type RunPartOptions, type RunPartResult, runPart } from './runs/run-part.js';
export type { RecordsOptions } from './runs/stream-records.js';
export {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportOptions,
  exportAs,
  exportFormat,
  exportRun,
} from './sinks/exports/export-run.js';
export { reportPage } from './sinks/report-page.js';
export { candidateSets, sceneGraphs } from './sinks/scene-graph-sink.js';
export type { Finisher, Sink } from './sinks/sink.js';
export { type CocoOptions, coco } from './sources/coco.js';
export { fromIterable } from './sources/from-iterable.js';
export { type Objects365Options, objects365 } from './sources/objects365.js';
export { type PseudoAnnotationsOptions, pseudoAnnotations } from './sources/pseudo-annotations.js';
export { type SceneGraphLinesOptions, sceneGraphLines } from './sources/scene-graph-lines.js';
export { type VisualGenomeOptions, visualGenome } from './sources/visual-genome.js';
export { baselineTagger } from './taggers/baseline-tagger.js';
export { FrequencyPrior } from './taggers/frequency-prior.js';
export { loadVocabulary, type Vocabulary } from './vocabulary/vocabulary.js';
