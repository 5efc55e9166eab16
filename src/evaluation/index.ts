/**
 * Scores of text parsers, relation taggers and relation finders, and statistics of data sets.
 *
 * @module relflow/evaluation
 */

export type { RejectedRow } from '../files/csv-rows.js';
export {
  type FactualAttribute,
  type FactualGraph,
  type FactualRelation,
  parseFactual,
  printFactual,
  toFactual,
} from '../records/factual-graph.js';
export type { RelationJudgment } from '../records/relation-judgment.js';
export type { HoiImage, HoiInteraction, HoiObject } from '../sources/hoi-file.js';
export { FrequencyPrior } from '../taggers/frequency-prior.js';
export type {
  BenchmarkEvaluation,
  BenchmarkReport,
  ClassCurve,
  Interval,
  Mistake,
  ReportValue,
} from './benchmarks/benchmark-report.js';
export { type EvaluateRelationsOptions, evaluateRelations } from './benchmarks/evaluate-relations.js';
export { type EvaluateHicoOptions, evaluateHico } from './benchmarks/hico/evaluate-hico.js';
export { countHicoTriplets, readHicoImages, readHoiImages } from './benchmarks/hico/hico-annotations.js';
export {
  type EvaluateOpenImagesOptions,
  evaluateOpenImages,
} from './benchmarks/open-images/evaluate-open-images.js';
export {
  type EvaluateOpenImagesChallengeOptions,
  evaluateOpenImagesChallenge,
} from './benchmarks/open-images/evaluate-open-images-challenge.js';
export { type OpenImagesTruth, readOpenImagesTruth } from './benchmarks/open-images/open-images-truth.js';
export { openPredictions, type Predictions } from './benchmarks/predictions-file.js';
export { pairNms, type RelationReport, RelationScores } from './benchmarks/relation-scores.js';
export {
  type EvaluateSceneGraphsOptions,
  evaluateSceneGraphs,
  GRAPH_MODES,
  type GraphMode,
} from './benchmarks/scene-graphs/evaluate-scene-graphs.js';
export {
  type GraphImage,
  type GraphTruth,
  graphTripletKey,
  readPsgTruth,
  readSceneGraphTruth,
  readVg150Truth,
} from './benchmarks/scene-graphs/graph-truth.js';
export { type EvaluateVcocoOptions, evaluateVcoco } from './benchmarks/vcoco/evaluate-vcoco.js';
export {
  type EvaluateVcocoTrainingOptions,
  evaluateVcocoTraining,
} from './benchmarks/vcoco/evaluate-vcoco-training.js';
export {
  readVcocoTruth,
  type VcocoFiles,
  type VcocoPerson,
  type VcocoTruth,
} from './benchmarks/vcoco/vcoco-annotations.js';
export {
  evaluateRelationJudgments,
  type JudgedGroup,
  type RelationEvaluation,
} from './judging/evaluate-relation-judgments.js';
export { relationJudgments } from './judging/relation-judgments.js';
export { type RelationSample, type SampleRelationsOptions, sampleRelations } from './judging/sample-relations.js';
export { type CaptionWords, wordNetWords } from './parser/caption-words.js';
export {
  evaluateJudged,
  type JudgedErrors,
  type JudgedEvaluation,
  type JudgedScores,
  type UnjudgedTriplet,
} from './parser/evaluate-judged.js';
export {
  type EvaluateParserOptions,
  evaluateParser,
  type FailedCaption,
  type GoldCaption,
  type ParserEvaluation,
  type ParserScores,
} from './parser/evaluate-parser.js';
export { goldCaptions } from './parser/gold-captions.js';
export { type JudgedCaption, type JudgedTriplet, judgedCaptions } from './parser/judged-captions.js';
export { PARSER_ERRORS, type ParserError } from './parser/parser-errors.js';
export { averagePrecision } from './predicates/average-precision.js';
export {
  type CompareTaggersOptions,
  compareTaggers,
  type NamedTagger,
  type TaggerScores,
} from './predicates/compare-taggers.js';
export { type DatasetNames, datasetNames } from './predicates/dataset-names.js';
export { type EvaluatePredicatesOptions, evaluatePredicates } from './predicates/evaluate-predicates.js';
export { type Perturbation, perturbDetections } from './predicates/perturb-detections.js';
export {
  type PredicateReport,
  type PredicateResult,
  PredicateScores,
} from './predicates/predicate-scores.js';
export { type DatasetStatistics, datasetStatistics } from './statistics/dataset-statistics.js';
export { bootstrapShare, type Share, type UnitCounts, wilsonShare } from './statistics/intervals.js';
