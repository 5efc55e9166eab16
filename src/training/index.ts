/**
 * Training of R-Taggers and of RLIPv2: data, denoising, matching, losses, the optimizer and the loop.
 *
 * @module relflow/training
 */

export type { TrainingConfig } from '../records/training-config.js';
export { Checkpoints, settingsDigest, type TrainingState } from './checkpoints.js';
export { curvesPage, writeCurves } from './curves-page.js';
export {
  type AugmentationOptions,
  type AugmentedImage,
  augmentImage,
  officialAugmentation,
  resizedImage,
  spriteAugmentation,
  tinyAugmentation,
} from './data/augment-image.js';
export { AugmentedImageReader, type AugmentedImageReaderOptions } from './data/augmented-image-reader.js';
export { type BatchStreamOptions, batchStream, epochBatches, type StreamedBatch } from './data/batch-stream.js';
export { CachedLabelVectors } from './data/cached-label-vectors.js';
export { leakMask, type Noise, noisyPairs, officialNoise } from './data/denoising.js';
export {
  type LabelCounts,
  labelSet,
  officialLabelCounts,
  type TrainingLabelSet,
  type Vocabularies,
} from './data/label-set.js';
export { samplePairs } from './data/sample-pairs.js';
export { type BatchOptions, type DataPosition, type TrainingBatch, trainingBatch } from './data/training-batch.js';
export {
  type DataOptions,
  type DataSet,
  type DataSummary,
  type LocatedSample,
  TrainingData,
} from './data/training-data.js';
export {
  type HeldOut,
  type TrainingPair,
  type TrainingSample,
  type TrainingSampleOptions,
  type TrainingVocabulary,
  trainingSample,
} from './data/training-sample.js';
export { WeightedSampler } from './data/weighted-sampler.js';
export { type DryRun, dryRun } from './dry-run.js';
export { focalLoss, qualityFocalLoss } from './loss/focal-loss.js';
export { hungarian } from './loss/hungarian.js';
export { type MatchCosts, matchPairs, matchPairsAsync, officialCosts } from './loss/match-pairs.js';
export {
  type LossTerms,
  type LossWeights,
  officialWeights,
  type PairLossOptions,
  pairLosses,
  totalLoss,
} from './loss/pair-losses.js';
export type { Matches, PairTargets } from './loss/pair-targets.js';
export { pseudoLabels } from './loss/pseudo-labels.js';
export { type Forward, type LossParts, lossGradients, lossOnly, type StepLoss } from './loss-gradients.js';
export {
  AdamW,
  type AdamWOptions,
  gradientNorm,
  groupOf,
  type MomentValues,
  officialAdamW,
  type ParameterGroup,
} from './optimizer/adam-w.js';
export { Ema } from './optimizer/ema.js';
export { officialSchedule, type Schedule, scheduleFactor } from './optimizer/schedule.js';
export { type RlipLossOptions, rlipForward } from './rlip-forward.js';
export { dataOptions, validationOptions } from './settings/data-options.js';
export { readTrainingConfig } from './settings/read-training-config.js';
export { type RlipSettings, rlipSettings } from './settings/rlip-settings.js';
export { type TaggerSettings, taggerSettings } from './settings/tagger-settings.js';
export { type TrainingSettings, trainingSettings } from './settings/training-settings.js';
export { checkMemoryFits, type StepMemory, stepMemory, suggestRemedies, WASM_BYTES } from './step-memory.js';
export { taggerForward } from './tagger-forward.js';
export { type TrainOptions, train } from './train.js';
export { type TrainingResult, type TrainModelOptions, trainModel } from './train-model.js';
export type { TrainingEvent } from './training-log.js';
