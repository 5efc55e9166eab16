/**
 * RLIPv2 and its R-Tagger on TensorFlow.js: configurations, weights, backends, taggers.
 *
 * @module relflow/model
 */

export { openSafetensors } from '../files/open-safetensors.js';
export type { NumberType, WeightEntry, WeightSource } from '../files/weight-source.js';
export { type WeightToWrite, type WriteOptions, writeSafetensors } from '../files/write-safetensors.js';
export { BACKENDS, type BackendName } from './backends/backend-names.js';
export { type BackendReport, inspectBackends, type MachineReport } from './backends/inspect-backends.js';
export { type Backend, type BackendOptions, useBackend } from './backends/use-backend.js';
export { openRelationFinder, type RelationFinderOptions } from './detector/relation-finder.js';
export type { Geometry, ImageBatch } from './geometry.js';
export { type ReadImageOptions, readImage } from './image/read-image.js';
export { normalize, type RgbImage, resize } from './image/resize.js';
export { targetSize } from './image/target-size.js';
export {
  type BackboneShape,
  type ConvolutionsShape,
  checkConfig,
  type FusionConfig,
  type ModelCompat,
  type ModelConfig,
  noCompat,
  officialCompat,
  type QueryKind,
  type ResNetShape,
  type SwinShape,
  type VerbQuery,
} from './model-config.js';
export type { Layout, Parameter } from './parameter-scope.js';
export {
  parsedaR50,
  parsedaSwinL,
  parsedaSwinT,
  parsedR50,
  preset,
  presets,
  rlipv1ParsedR50,
  rTaggerR50,
  spriteTagger,
  tiny,
  tinyLate,
} from './presets.js';
export type { GivenPairs, PairGroup } from './query-source.js';
export { type Encoded, type ForwardOptions, type LabelSet, type LayerOutput, RlipV2 } from './rlip-v2.js';
export { SPRITES, spriteWeights, taggerWeights } from './tagger/embedded-tagger.js';
export { rTagger } from './tagger/r-tagger.js';
export type { RTaggerOptions } from './tagger/r-tagger-options.js';
export type { TokenizedTexts } from './text/roberta.js';
export { byteTokenizer, openTokenizer, type Tokenizer, tokenizeLabels } from './text/tokenizer.js';
export { initializeWeights, initialValues } from './weights/initialize-weights.js';
export { checkWeights, compareWeights, loadWeights, type WeightProblems } from './weights/load-weights.js';
export { openWeights } from './weights/open-weights.js';
export {
  modelMetadata,
  type StoredLabels,
  type StoredModel,
  type StoredView,
  storedModel,
} from './weights/stored-model.js';
export { loadTextEncoder, openTextEncoder, textEncoderParameters } from './weights/text-encoder-weights.js';
export { openTorchCheckpoint } from './weights/torch-checkpoint.js';
