/**
 * Training of R-Taggers and of RLIPv2: `train` and its configuration first, then the parts that it is made of.
 *
 * @module relflow/training
 */

// The training itself.

export type { TrainingConfig, TrainingDataSet } from '../records/training-config.js';
export { BestWeights, type BestWeightsFiles } from './best-weights.js';
export { type DryRun, dryRun } from './dry-run.js';
export { readTrainingConfig } from './settings/read-training-config.js';
export { train } from './train.js';
export { type TrainingResult, type TrainModelOptions, trainModel } from './train-model.js';
export type { TrainOptions } from './train-options.js';
export type { TrainingEvaluator, TrainingScore } from './training-evaluator.js';
export { type TrainingEvent, TrainingLog } from './training-log.js';

// Settings: a configuration with all defaults filled in.

export type { CommonSettings } from './settings/common-settings.js';
export { batchOptions, dataOptions, validationOptions } from './settings/data-options.js';
export { type RlipSettings, rlipSettings } from './settings/rlip-settings.js';
export { type TaggerSettings, taggerSettings } from './settings/tagger-settings.js';
export { type TrainingSettings, trainingSettings } from './settings/training-settings.js';

// Data.

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
export { denoisingLeakMask, denoisingPairs, type Noise, officialNoise } from './data/denoising.js';
export {
  type LabelCounts,
  labelSet,
  officialLabelCounts,
  type TrainingLabelSet,
  type Vocabularies,
} from './data/label-set.js';
export { openTrainingData } from './data/open-training-data.js';
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

// Model and losses.

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
export {
  type Forward,
  type LossParts,
  lossGradients,
  lossOnly,
  type ReadBack,
  type StepGradients,
  type StepLoss,
} from './loss-gradients.js';
export { type ModelFiles, openTrainingModel, type TrainingModel } from './open-training-model.js';
export { type RlipLossOptions, rlipForward } from './rlip-forward.js';
export { taggerForward } from './tagger-forward.js';

// Optimizer.

export {
  AdamW,
  type AdamWOptions,
  type MomentValues,
  officialAdamW,
} from './optimizer/adam-w.js';
export { Ema } from './optimizer/ema.js';
export { clipFactor, gradientNorm } from './optimizer/gradient-norm.js';
export { officialSchedule, type Schedule, scheduleFactor } from './optimizer/schedule.js';

// Loop, checkpoints, curves and memory.

export { Checkpoints, checkpointSettingsDigest, type TrainedState, type TrainingState } from './checkpoints.js';
export { curvesPage, writeCurves } from './curves-page.js';
export type { Paraphrases } from './data/paraphrase-relations.js';
export { groupOf, type ParameterGroup } from './optimizer/parameter-group.js';
export { totalSteps } from './settings/total-steps.js';
export {
  checkMemoryFits,
  type Remedy,
  type StepMemory,
  stepMemory,
  suggestMemoryRemedies,
  WASM_BYTES,
} from './step-memory.js';
export { type TrainingLoopOptions, type TrainingLoopResult, trainingLoop } from './training-loop.js';
