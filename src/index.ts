/**
 * What pipelines are composed of: sources, operators, parsers, taggers, sinks and the graph that runs them. Loads no
 * tensor library.
 *
 * @module relflow
 */

export { type CaptionFileOptions, captionFile } from './captioners/caption-file.js';
export { type HfBlipOptions, hfBlip } from './captioners/hf-blip.js';
export { type HfChatOptions, hfChat } from './captioners/hf-chat.js';
export { type TransformersJsOptions, transformersJs } from './captioners/transformers-js.js';
export {
  EndpointError,
  InputError,
  OptionError,
  OutputError,
  RecordError,
  RelflowError,
  WiringError,
} from './errors.js';
export { checkWiring } from './graph/check-wiring.js';
export { describeGraph } from './graph/describe-graph.js';
export { drawMermaid } from './graph/draw-mermaid.js';
export { drawText } from './graph/draw-text.js';
export type { RecordsOptions } from './graph/engine/stream-records.js';
export { Flow, Graph, type RecordOf } from './graph/graph.js';
export { buildRecipe, type OptionsSchema, type Recipe, recipe } from './graph/recipe.js';
export { type CandidatesOptions, candidates } from './operators/candidates.js';
export { type CaptionOptions, caption } from './operators/caption.js';
export { filter } from './operators/filter.js';
export { type GeometryOptions, geometry } from './operators/geometry.js';
export { type MatchOptions, match } from './operators/match.js';
export {
  FILTERED,
  type Operator,
  type OperatorContext,
  type OperatorSpec,
  operator,
} from './operators/operator.js';
export { orderedMap } from './operators/ordered-map.js';
export { type PairOptions, pair } from './operators/pair.js';
export { parse } from './operators/parse.js';
export { parsed } from './operators/parsed.js';
export { type ProposeOptions, propose } from './operators/propose.js';
export { type SampleOptions, sample } from './operators/sample.js';
export { type TagOptions, tag } from './operators/tag.js';
export { version } from './package-info.js';
export { type NeuralParserOptions, neuralParser } from './parser/neural/neural-parser.js';
export { parsedGraphFile } from './parser/parsed-graph-file.js';
export { type FactualT5Options, factualT5 } from './parser/remote/factual-t5.js';
export { ruleParser } from './parser/rules/rule-parser.js';
export { threadedParser } from './parser/threaded-parser.js';
export { type Box, intersection, iou } from './records/box.js';
export type { CandidatePair, Candidates, CandidateText, Matched, Mention } from './records/candidate.js';
export type { Caption, Captioned } from './records/caption-record.js';
export type { Detection, Id, Image, ImageRecord } from './records/image.js';
export type { Manifest, StageCounts } from './records/manifest.js';
export type {
  Captioner,
  Forecast,
  ParseContext,
  Proposal,
  ProposeRequest,
  RelationProposer,
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
export type { CandidateSet, Related, Relation, SceneGraph } from './records/scene-graph.js';
export type { Coreference, Entity, Parsed, TextGraph, TextRelation } from './records/text-graph.js';
export { type Static, Type } from './records/type.js';
export { RunFolder } from './run-folder/run-folder.js';
export { type Problem, validateRun } from './run-folder/validate-run.js';
export { type FinishRunOptions, finishRun } from './runs/finish-run.js';
export { forecast, type StageForecast } from './runs/forecast.js';
export { type Inspection, inspect } from './runs/inspect.js';
export { type Preview, preview } from './runs/preview.js';
export { type PulledRun, type PullRunOptions, pullRun } from './runs/pull-run.js';
export { type PushedRun, type PushRunOptions, pushRun } from './runs/push-run.js';
export { type RunOptions, type RunProgress, type RunResult, run } from './runs/run.js';
export { type RunPartOptions, type RunPartResult, runPart } from './runs/run-part.js';
export type { ModelUsage } from './runs/run-report.js';
export type { EmptyReason, Finding, RunSummary } from './runs/run-summary.js';
export { candidateSets } from './sinks/candidate-sets.js';
export { EXPORT_FORMATS, type ExportFormatName } from './sinks/exports/export-formats.js';
export { type ExportResult, type ExportSource, exportGraphs } from './sinks/exports/export-graphs.js';
export type { ExportOptions, ImageFiles } from './sinks/exports/export-options.js';
export { type ExportRunOptions, exportRun } from './sinks/exports/export-run.js';
export { reportPage } from './sinks/report-page.js';
export { sceneGraphs } from './sinks/scene-graph-sink.js';
export type { Finisher, Sink } from './sinks/sink.js';
export { type CocoOptions, coco } from './sources/coco.js';
export { type CocoRelationsOptions, cocoRelations } from './sources/coco-relations.js';
export { type CvatOptions, cvat } from './sources/cvat.js';
export { detections } from './sources/detection-form.js';
export { fromIterable } from './sources/from-iterable.js';
export { type GqaOptions, gqa } from './sources/gqa.js';
export { type HicoOptions, hico } from './sources/hico.js';
export { type LabelStudioOptions, labelStudio } from './sources/label-studio.js';
export { type Objects365Options, objects365 } from './sources/objects365.js';
export { type OpenImagesOptions, openImages } from './sources/open-images.js';
export { type PascalVocOptions, pascalVoc } from './sources/pascal-voc.js';
export { type PseudoAnnotationsOptions, pseudoAnnotations } from './sources/pseudo-annotations.js';
export { type PsgOptions, psg } from './sources/psg.js';
export { type SceneGraphLinesOptions, sceneGraphLines } from './sources/scene-graph-lines.js';
export { type VcocoOptions, vcoco } from './sources/vcoco.js';
export { type Vg150Options, vg150 } from './sources/vg150.js';
export { type VisualGenomeOptions, visualGenome } from './sources/visual-genome.js';
export { type YoloOptions, yolo } from './sources/yolo.js';
export { type BaselineTaggerOptions, baselineTagger } from './taggers/baseline-tagger.js';
export { type VlmProposerOptions, vlmProposer } from './taggers/vlm/vlm-proposer.js';
export { type VlmTaggerOptions, vlmTagger } from './taggers/vlm/vlm-tagger.js';
export { type ListedPredicate, loadPredicates } from './vocabulary/predicate-list.js';
export { loadVocabulary, type Vocabulary } from './vocabulary/vocabulary.js';
