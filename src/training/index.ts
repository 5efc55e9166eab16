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
export { type BatchStreamOptions, batchStream, epochBatches, prefetch, type StreamedBatch } from './batch-stream.js';
export { Checkpoints, settingsDigest, type TrainingState } from './checkpoint.js';
export { DecodedImages } from './decoded-images.js';
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
export { type MatchCosts, matchPairs, officialCosts } from './match-pairs.js';
export { pseudoLabels } from './pseudo-labels.js';
export { samplePairs } from './sample-pairs.js';
export { officialSchedule, rateFactor, type Schedule } from './schedule.js';
export type { TrainTaggerOptions } from './tagger-run.js';
export { type TaggerSettings, taggerSettings } from './tagger-settings.js';
export { type LossParts, type StepLoss, taggerGradients, taggerLoss } from './tagger-step.js';
export type { Matches, PairTargets } from './targets.js';
export { officialTexts, type TextSet, type TextTargets, textSet, type Vocabularies } from './text-set.js';
export { type TrainingResult, trainTagger } from './train-tagger.js';
export { type BatchOptions, type DataPosition, type TrainingBatch, trainingBatch } from './training-batch.js';
export { type Census, type DataSet, type LocatedSample, TrainingData } from './training-data.js';
export type { TrainingEvent } from './training-log.js';
export { type SampleOptions, type TrainingPair, type TrainingSample, trainingSample } from './training-sample.js';
export { WeightedNames } from './weighted-draw.js';
