// Entry point `relflow/training`: data, noise, losses, matching, the optimiser and the loop.
export {
  AdamW,
  type AdamWOptions,
  gradientLength,
  groupOf,
  type MomentValues,
  officialAdamW,
  type ParameterGroup,
} from './adam-w.js';
export { augment, officialViews, plainView, spriteViews, tinyViews, type View, type Views } from './augment.js';
export { type BatchStreamOptions, batchStream, epochBatches, type StreamedBatch } from './batch-stream.js';
export { Checkpoints, settingsDigest, type TrainingState } from './checkpoint.js';
export { curvesPage, writeCurves } from './curves-page.js';
export { leakMask, type Noise, noisyPairs, officialNoise } from './denoising.js';
export { type DryRun, dryRun } from './dry-run.js';
export { focalLoss, qualityFocalLoss } from './focal-loss.js';
export { assign } from './hungarian.js';
export {
  type LossOptions,
  type LossTerms,
  type LossWeights,
  officialWeights,
  pairLosses,
  totalLoss,
} from './losses.js';
export { type MatchCosts, matchPairs, matchPairsLater, officialCosts } from './match-pairs.js';
export { refuseWhatCantFit, type StepMemory, stepMemory, WASM_BYTES, whatWouldFit } from './memory.js';
export { pseudoLabels } from './pseudo-labels.js';
export { rlipSettings } from './rlip-settings.js';
export { type RlipLossOptions, rlipForward } from './rlip-step.js';
export {
  dataOptions,
  type RlipSettings,
  type RunSettings,
  type TaggerSettings,
  validationOptions,
} from './run-settings.js';
export { samplePairs } from './sample-pairs.js';
export { officialSchedule, rateFactor, type Schedule } from './schedule.js';
export { taggerSettings } from './tagger-settings.js';
export { taggerForward } from './tagger-step.js';
export type { Matches, PairTargets } from './targets.js';
export { officialTexts, type TextSet, type TextTargets, textSet, type Vocabularies } from './text-set.js';
export { TextVectors } from './text-vectors.js';
export { type TrainingResult, trainModel } from './train-model.js';
export { type TrainTaggerOptions, trainTagger } from './train-tagger.js';
export { type BatchOptions, type DataPosition, type TrainingBatch, trainingBatch } from './training-batch.js';
export { type Census, type DataOptions, type DataSet, type LocatedSample, TrainingData } from './training-data.js';
export type { TrainingEvent } from './training-log.js';
export type { TrainOptions } from './training-run.js';
export {
  type HeldOut,
  type SampleOptions,
  type TrainingPair,
  type TrainingSample,
  trainingSample,
  type Vocabulary,
} from './training-sample.js';
export { type Forward, type LossParts, lossGradients, lossOnly, type StepLoss } from './training-step.js';
export { ViewReader, type ViewReaderOptions } from './view-reader.js';
export { WeightAverage } from './weight-average.js';
export { WeightedNames } from './weighted-draw.js';
