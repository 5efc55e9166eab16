import { OptionError } from '../errors.js';
import type { Gate } from './layers/fusion.js';
import { type RobertaShape, robertaBase } from './text/roberta-shape.js';

/** A residual network of bottleneck blocks. */
export interface ResNetShape {
  readonly kind: 'resnet';
  /** Channels behind the first convolution. */
  readonly stem: number;
  /** Channels inside the first stage's blocks; each further stage has twice as many, and puts out four times those. */
  readonly width: number;
  /** Blocks a stage. */
  readonly depths: readonly [number, number, number, number];
}

/** A Swin transformer. */
export interface SwinShape {
  readonly kind: 'swin';
  /** Channels of the first stage; each further stage has twice as many. */
  readonly width: number;
  readonly depths: readonly [number, number, number, number];
  readonly heads: readonly [number, number, number, number];
  /** Cells along a side of an attention window. */
  readonly window: number;
  /** Share of dropped blocks at the last one while training; it grows linearly from 0. */
  readonly dropPath: number;
}

/** A few convolutions, all of them trained. */
export interface ConvolutionsShape {
  readonly kind: 'convolutions';
  /** Channels at a half, a quarter, an eighth, a sixteenth and a thirty-second of the image's size. */
  readonly channels: readonly [number, number, number, number, number];
}

export type BackboneShape = ResNetShape | SwinShape | ConvolutionsShape;

export const resnet50: ResNetShape = { kind: 'resnet', stem: 64, width: 64, depths: [3, 4, 6, 3] };
export const swinT: SwinShape = {
  kind: 'swin',
  width: 96,
  depths: [2, 2, 6, 2],
  heads: [3, 6, 12, 24],
  window: 7,
  dropPath: 0.2,
};
export const swinL: SwinShape = {
  kind: 'swin',
  width: 192,
  depths: [2, 2, 18, 2],
  heads: [6, 12, 24, 48],
  window: 7,
  dropPath: 0.5,
};

/** Where queries come from. `tagger`: pairs of given boxes. `parsed`: learned points. `parseda`: learned boxes. */
export type QueryKind = 'tagger' | 'parsed' | 'parseda';

/**
 * What the relation decoder starts from. `vanilla`: sums over subject and object. `mbf`: a multi-branch fusion of both.
 * `vanilla-mbf`: both of them.
 */
export type VerbQuery = 'vanilla' | 'mbf' | 'vanilla-mbf';

/**
 * Official behaviours that are defects and that official weights may have been trained around; all off by default.
 * docs/compat.md describes each.
 */
export interface ModelCompat {
  /** Padding takes part in the fusion: the official masks have no effect there. */
  readonly fusionIgnoresMasks: boolean;
  /** While training, a label whose vector's elements sum to 0 or less counts as padding. */
  readonly textMaskBySum: boolean;
  /** The tagger's mask against leaks is there only where every image of the batch has all of its pairs. */
  readonly leakMaskForFullBatchesOnly: boolean;
  /** A noisy label of the tagger is one of the first `batch` labels, not any. */
  readonly labelNoiseWithinBatchSize: boolean;
  /** While training, the tagger's pairs with relations come before those without, so that a place tells what holds. */
  readonly positivePairsFirst: boolean;
}

export const noCompat: ModelCompat = {
  fusionIgnoresMasks: false,
  textMaskBySum: false,
  leakMaskForFullBatchesOnly: false,
  labelNoiseWithinBatchSize: false,
  positivePairsFirst: false,
};

export const officialCompat: ModelCompat = {
  fusionIgnoresMasks: true,
  textMaskBySum: true,
  leakMaskForFullBatchesOnly: true,
  labelNoiseWithinBatchSize: true,
  positivePairsFirst: true,
};

export interface FusionConfig {
  /** Encoder layers a fusion: with 2, a fusion stands before layers 0, 2, 4… */
  readonly interval: number;
  /** Whether only the tokens of the coarsest level are fused, or those of all levels. */
  readonly lastLevelOnly: boolean;
  readonly gate: Gate;
  /** Channels of the attention over all heads. */
  readonly width: number;
  readonly heads: number;
  /** Whether decoder layer k reads the label vectors behind fusion k, or all of them the last. */
  readonly auxiliaryStates: boolean;
}

/** Everything that decides what a model's weights are and what it computes. */
export interface ModelConfig {
  readonly name: string;
  readonly backbone: BackboneShape;
  readonly text: RobertaShape;
  /** Channels of image tokens and queries. */
  readonly width: number;
  readonly heads: number;
  /** Width of the feed-forward parts of encoder and decoders. */
  readonly hidden: number;
  /** Feature levels: three of the backbone, the rest by convolutions of its last. */
  readonly levels: number;
  readonly points: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly fusion: FusionConfig;
  /**
   * RLIPv1's late fusion: labels meet what the decoders found, behind them. The encoder then has neither fusions nor
   * language layers, and `fusion` says nothing.
   */
  readonly lateFusion: boolean;
  readonly queries: QueryKind;
  /** Subject queries, and as many object queries. */
  readonly pairs: number;
  readonly verbQuery: VerbQuery;
  /** Branches of the multi-branch fusion. */
  readonly branches: number;
  /**
   * Of a tagger alone: whether a query begins with its box beside its label and looks where the box is, and a relation's
   * query with how both boxes lie to each other. The official model has to find all that out, for which a small one has
   * neither the layers nor the time.
   */
  readonly boxContent: boolean;
  /** Dropout of encoder and decoders while training. */
  readonly dropout: number;
  /** Whether text encoder and fusions have their own dropout of 0.1 while training, as officially. */
  readonly textDropout: boolean;
  readonly compat: ModelCompat;
}

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

/** The R-Tagger whose annotations all official models were pre-trained with. */
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

/** RLIPv2-ParSeD. */
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

/** RLIPv1's ParSeD, to compare with: labels and image meet behind the decoders. Source: Yuan et al., "RLIP", 2022. */
export const rlipv1ParsedR50: ModelConfig = {
  ...parsedR50,
  name: 'rlipv1ParsedR50',
  lateFusion: true,
  verbQuery: 'vanilla',
};

/** RLIPv2-ParSeDA, the headline model. */
export const parsedaR50: ModelConfig = {
  ...parsedR50,
  name: 'parsedaR50',
  hidden: 2048,
  queries: 'parseda',
  dropout: 0,
};

export const parsedaSwinT: ModelConfig = { ...parsedaR50, name: 'parsedaSwinT', backbone: swinT };
export const parsedaSwinL: ModelConfig = { ...parsedaR50, name: 'parsedaSwinL', backbone: swinL };

const tinyParts = {
  backbone: { kind: 'resnet', stem: 8, width: 8, depths: [1, 1, 1, 1] },
  // A vocabulary of bytes, so that nothing is to be downloaded: see text/byte-tokenizer.ts.
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

/** A family small enough for tests and for teaching: trained in minutes, nothing to download. */
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
 * What comes with relflow: an R-Tagger that is trained on drawn scenes within minutes, and knows nothing else. In parts
 * unlike the official one, as its own fields say: backbone, texts, and what queries begin with.
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
 * A small RLIPv2 that learns drawn scenes within minutes: ParSeDA over a few convolutions that are all trained, with
 * texts as the sprites' tagger has them.
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

/** The tiny model with late fusion. */
export const tinyLate: ModelConfig = { ...tiny.parsed, name: 'tinyLate', lateFusion: true, verbQuery: 'vanilla' };

/** The configurations that have a name. */
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
 * @throws OptionError where no preset has this name
 */
export function preset(name: string): ModelConfig {
  const config = presets[name];
  if (!config) throw new OptionError('model', `unknown model '${name}', expected ${Object.keys(presets).join(', ')}`);
  return config;
}

/** @throws OptionError where the numbers do not fit each other */
export function checkConfig(config: ModelConfig): void {
  const refuse = (problem: string): never => {
    throw new OptionError('model', `${config.name}: ${problem}`);
  };
  const whole = (name: string, value: number) => {
    if (!Number.isSafeInteger(value) || value < 1) refuse(`${name} ${value}, expected a whole number of at least 1`);
  };
  const { width, heads, hidden, levels, points, encoderLayers, decoderLayers, pairs, branches, fusion, text } = config;
  for (const [name, value] of Object.entries({
    width,
    heads,
    hidden,
    points,
    encoderLayers,
    decoderLayers,
    pairs,
    branches,
  }))
    whole(name, value);
  whole('fusion.interval', fusion.interval);
  if (config.boxContent && config.queries !== 'tagger')
    refuse('boxContent without given pairs, expected queries tagger');
  if (text.layers === 0 && text.vocabulary !== 260) refuse('text.layers 0, expected a vocabulary of bytes, 260');

  if (levels < 3) refuse(`levels ${levels}, expected at least 3`);
  if (width % heads !== 0 || width % 4 !== 0) refuse(`width ${width}, expected a multiple of 4 and of heads ${heads}`);
  if (fusion.width % fusion.heads !== 0) refuse(`fusion.width ${fusion.width}, expected a multiple of ${fusion.heads}`);
  if (text.width % text.heads !== 0) refuse(`text.width ${text.width}, expected a multiple of ${text.heads}`);
  if (config.lateFusion && config.queries === 'tagger')
    refuse('lateFusion with given pairs, expected queries parsed or parseda');
  if (config.verbQuery !== 'vanilla' && width % branches !== 0)
    refuse(`branches ${branches}, expected a divisor of width ${width}`);
}
