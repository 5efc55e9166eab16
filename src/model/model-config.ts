import { OptionError } from '../errors.js';
import type { Gate } from './layers/fusion.js';
import type { RobertaShape } from './text/roberta-shape.js';

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

/** @throws OptionError where the numbers do not fit each other */
export function checkConfig(config: ModelConfig): void {
  const reject = (problem: string): never => {
    throw new OptionError('model', `${config.name}: ${problem}`);
  };
  const checkCount = (name: string, value: number) => {
    if (!Number.isSafeInteger(value) || value < 1) reject(`${name} ${value}, expected a whole number of at least 1`);
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
    checkCount(name, value);
  checkCount('fusion.interval', fusion.interval);
  if (config.boxContent && config.queries !== 'tagger')
    reject('boxContent without given pairs, expected queries tagger');
  if (text.layers === 0 && text.vocabulary !== 260) reject('text.layers 0, expected a vocabulary of bytes, 260');

  if (levels < 3) reject(`levels ${levels}, expected at least 3`);
  if (width % heads !== 0 || width % 4 !== 0) reject(`width ${width}, expected a multiple of 4 and of heads ${heads}`);
  if (fusion.width % fusion.heads !== 0) reject(`fusion.width ${fusion.width}, expected a multiple of ${fusion.heads}`);
  if (text.width % text.heads !== 0) reject(`text.width ${text.width}, expected a multiple of ${text.heads}`);
  if (config.lateFusion && config.queries === 'tagger')
    reject('lateFusion with given pairs, expected queries parsed or parseda');
  if (config.verbQuery !== 'vanilla' && width % branches !== 0)
    reject(`branches ${branches}, expected a divisor of width ${width}`);
}
