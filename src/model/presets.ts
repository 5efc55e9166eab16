import { OptionError } from '../errors.js';
import type { Gate } from './layers/fusion.js';
import {
  type FusionConfig,
  type ModelConfig,
  noCompat,
  type QueryKind,
  type ResNetShape,
  type SwinShape,
} from './model-config.js';
import { robertaBase } from './text/roberta-shape.js';

/** ResNet-50. */
const resnet50: ResNetShape = { kind: 'resnet', stem: 64, width: 64, depths: [3, 4, 6, 3] };
/** Swin-T. */
export const swinT: SwinShape = {
  kind: 'swin',
  width: 96,
  depths: [2, 2, 6, 2],
  heads: [3, 6, 12, 24],
  window: 7,
  dropPath: 0.2,
};
/** Swin-L. */
const swinL: SwinShape = {
  kind: 'swin',
  width: 192,
  depths: [2, 2, 18, 2],
  heads: [6, 12, 24, 48],
  window: 7,
  dropPath: 0.5,
};

const official = {
  text: robertaBase,
  width: 256,
  heads: 8,
  levels: 4,
  points: 4,
  encoderLayers: 6,
  decoderLayers: 3,
  pairs: 100,
  branches: 16,
  lateFusion: false,
  boxContent: false,
  textDropout: true,
  compat: noCompat,
} as const;

const fusion = (gate: Gate): FusionConfig => ({
  interval: 2,
  lastLevelOnly: true,
  gate,
  width: 2048,
  heads: 8,
  auxiliaryStates: true,
});

/** Official R-Tagger with a ResNet-50, whose pseudo-labels the official models were pre-trained on. */
export const rTaggerR50: ModelConfig = {
  ...official,
  name: 'rTaggerR50',
  backbone: resnet50,
  hidden: 1024,
  fusion: fusion('glip'),
  queries: 'tagger',
  verbQuery: 'vanilla',
  dropout: 0.1,
};

/** Official RLIPv2-ParSeD with a ResNet-50. */
export const parsedR50: ModelConfig = {
  ...official,
  name: 'parsedR50',
  backbone: resnet50,
  hidden: 1024,
  fusion: fusion('vxac'),
  queries: 'parsed',
  verbQuery: 'vanilla-mbf',
  dropout: 0.1,
};

/** RLIPv1's ParSeD as a baseline: labels and image are fused after the decoders. Source: Yuan et al., "RLIP", 2022. */
export const rlipv1ParsedR50: ModelConfig = {
  ...parsedR50,
  name: 'rlipv1ParsedR50',
  lateFusion: true,
  verbQuery: 'vanilla',
};

/** Official RLIPv2-ParSeDA with a ResNet-50. */
export const parsedaR50: ModelConfig = {
  ...parsedR50,
  name: 'parsedaR50',
  hidden: 2048,
  queries: 'parseda',
  dropout: 0,
};

/** Official RLIPv2-ParSeDA with a Swin-T. */
export const parsedaSwinT: ModelConfig = { ...parsedaR50, name: 'parsedaSwinT', backbone: swinT };
/** Official RLIPv2-ParSeDA with a Swin-L. */
export const parsedaSwinL: ModelConfig = { ...parsedaR50, name: 'parsedaSwinL', backbone: swinL };

const tinyParts = {
  backbone: { kind: 'resnet', stem: 8, width: 8, depths: [1, 1, 1, 1] },
  // The tokens are bytes, so that no tokenizer has to be downloaded: see byteTokenizer in text/tokenizer.ts.
  text: { layers: 2, width: 48, heads: 4, hidden: 96, vocabulary: 260, positions: 66 },
  width: 32,
  heads: 4,
  hidden: 64,
  levels: 4,
  points: 2,
  encoderLayers: 2,
  decoderLayers: 2,
  pairs: 16,
  branches: 4,
  lateFusion: false,
  boxContent: false,
  dropout: 0,
  textDropout: true,
  compat: noCompat,
} as const;

const tinyFusion: FusionConfig = { ...fusion('vxac'), interval: 1, width: 64, heads: 4 };

/** Models of each query kind that are small enough for tests and teaching: they train in minutes and need no download. */
export const tiny: Readonly<Record<QueryKind, ModelConfig>> = {
  tagger: {
    ...tinyParts,
    name: 'tinyTagger',
    fusion: { ...tinyFusion, gate: 'glip' },
    queries: 'tagger',
    verbQuery: 'vanilla',
  },
  parsed: { ...tinyParts, name: 'tinyParsed', fusion: tinyFusion, queries: 'parsed', verbQuery: 'vanilla-mbf' },
  parseda: { ...tinyParts, name: 'tinyParseda', fusion: tinyFusion, queries: 'parseda', verbQuery: 'vanilla-mbf' },
};

/**
 * Small R-Tagger that is included in relflow. It trains within minutes on drawn scenes and knows nothing else. It differs
 * from the official tagger in its backbone, its text encoder and the initial content of its queries.
 */
export const spriteTagger: ModelConfig = {
  name: 'spriteTagger',
  backbone: { kind: 'convolutions', channels: [12, 20, 32, 64, 64] },
  text: { layers: 0, width: 64, heads: 4, hidden: 64, vocabulary: 260, positions: 66 },
  width: 64,
  heads: 4,
  hidden: 64,
  levels: 3,
  points: 2,
  encoderLayers: 1,
  decoderLayers: 1,
  fusion: { ...tinyFusion, gate: 'glip' },
  lateFusion: false,
  queries: 'tagger',
  pairs: 32,
  verbQuery: 'vanilla-mbf',
  branches: 1,
  boxContent: true,
  dropout: 0,
  textDropout: false,
  compat: noCompat,
};

/**
 * Small RLIPv2 that learns drawn scenes within minutes: ParSeDA with a small convolutional backbone, all of it trained, and
 * the text encoder of `spriteTagger`.
 */
export const spriteFinder: ModelConfig = {
  ...spriteTagger,
  name: 'spriteFinder',
  encoderLayers: 1,
  decoderLayers: 2,
  fusion: { ...tinyFusion, auxiliaryStates: false },
  queries: 'parseda',
  pairs: 24,
  verbQuery: 'vanilla-mbf',
  branches: 4,
  boxContent: false,
};

/** Tiny model with late fusion. */
export const tinyLate: ModelConfig = { ...tiny.parsed, name: 'tinyLate', lateFusion: true, verbQuery: 'vanilla' };

/** All named configurations. */
export const presets: Readonly<Record<string, ModelConfig>> = Object.fromEntries(
  [
    rTaggerR50,
    parsedR50,
    rlipv1ParsedR50,
    parsedaR50,
    parsedaSwinT,
    parsedaSwinL,
    ...Object.values(tiny),
    tinyLate,
    spriteTagger,
    spriteFinder,
  ].map((config) => [config.name, config]),
);

/**
 * Returns the configuration with the given name.
 * @throws OptionError if the name is unknown
 *
 * @example
 * ```ts
 * import { preset } from 'relflow/model';
 *
 * const { width, decoderLayers } = preset('parsedaSwinL');
 * console.log(width, decoderLayers);
 * ```
 */
export function preset(name: string): ModelConfig {
  const config = presets[name];
  if (!config)
    throw new OptionError('model', `unknown model '${name}', expected one of ${Object.keys(presets).join(', ')}`);
  return config;
}
