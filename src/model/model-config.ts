import { OptionError } from '../errors.js';
import type { Gate } from './layers/fusion.js';
import type { RobertaShape } from './text/roberta-shape.js';

/** Sizes of a residual network of bottleneck blocks. */
export interface ResNetShape {
  readonly kind: 'resnet';
  /** Channels after the first convolution. */
  readonly stem: number;
  /** Channels within the blocks of the first stage, doubled in each further stage. A stage outputs four times as many. */
  readonly width: number;
  /** Number of blocks of each stage. */
  readonly depths: readonly [number, number, number, number];
}

/** Sizes of a Swin transformer. */
export interface SwinShape {
  readonly kind: 'swin';
  /** Channels of the first stage, doubled in each further stage. */
  readonly width: number;
  /** Number of blocks of each stage. */
  readonly depths: readonly [number, number, number, number];
  /** Number of attention heads of each stage. */
  readonly heads: readonly [number, number, number, number];
  /** Cells along a side of an attention window. */
  readonly window: number;
  /** Stochastic depth rate of the last block while training; it grows linearly from 0 at the first block. */
  readonly dropPath: number;
}

/** Sizes of a small convolutional backbone, of which all weights are trained. */
export interface ConvolutionsShape {
  readonly kind: 'convolutions';
  /** Channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the image size. */
  readonly channels: readonly [number, number, number, number, number];
}

/** Sizes of a backbone of any kind. */
export type BackboneShape = ResNetShape | SwinShape | ConvolutionsShape;

/** Kind of queries. `tagger`: pairs of given boxes. `parsed`: learned points. `parseda`: learned boxes. */
export type QueryKind = 'tagger' | 'parsed' | 'parseda';

/**
 * Initial queries of the relation decoder. `vanilla`: sums of subject and object embeddings. `mbf`: a multi-branch fusion of
 * subject and object states. `vanilla-mbf`: the sum of both.
 */
export type VerbQuery = 'vanilla' | 'mbf' | 'vanilla-mbf';

/**
 * Switches for defects of the official model, to which official weights may be adapted; all are off by default.
 * docs/compat.md describes each one.
 */
export interface ModelCompat {
  /** The fusion attends to padding, because the official masks have no effect there. */
  readonly fusionIgnoresMasks: boolean;
  /** While training, a label counts as padding if the elements of its vector sum to 0 or less. */
  readonly textMaskBySum: boolean;
  /** The tagger's leak mask applies only when every image of the batch has the full number of pairs. */
  readonly leakMaskForFullBatchesOnly: boolean;
  /** Label noise of the tagger draws only from the first `batch` labels, not from all of them. */
  readonly labelNoiseWithinBatchSize: boolean;
  /** While training, the tagger's pairs with relations come before those without, so that the order reveals the targets. */
  readonly positivePairsFirst: boolean;
}

/** All switches off: the corrected behavior. */
export const noCompat: ModelCompat = {
  fusionIgnoresMasks: false,
  textMaskBySum: false,
  leakMaskForFullBatchesOnly: false,
  labelNoiseWithinBatchSize: false,
  positivePairsFirst: false,
};

/** All switches on: the behavior of the official model. */
export const officialCompat: ModelCompat = {
  fusionIgnoresMasks: true,
  textMaskBySum: true,
  leakMaskForFullBatchesOnly: true,
  labelNoiseWithinBatchSize: true,
  positivePairsFirst: true,
};

/** Fusion of image tokens and label vectors in the encoder (ALIF). */
export interface FusionConfig {
  /** Number of encoder layers per fusion: with 2, layers 0, 2, 4, … are preceded by a fusion. */
  readonly interval: number;
  /** True to fuse only the tokens of the coarsest level, false for those of all levels. */
  readonly lastLevelOnly: boolean;
  /** Gate of the update from the other modality. */
  readonly gate: Gate;
  /** Channels of the attention over all heads. */
  readonly width: number;
  /** Attention heads of the fusion. */
  readonly heads: number;
  /** True if decoder layer k uses the label vectors after fusion k, false if all layers use those after the last fusion. */
  readonly auxiliaryStates: boolean;
}

/** Complete configuration of a model: it determines the names and shapes of the weights and the computation. */
export interface ModelConfig {
  /** Name of the configuration, e.g. `parsedaR50`. */
  readonly name: string;
  /** Backbone and its sizes. */
  readonly backbone: BackboneShape;
  /** Sizes of the text encoder. */
  readonly text: RobertaShape;
  /** Channels of image tokens and queries. */
  readonly width: number;
  /** Attention heads of encoder and decoders. */
  readonly heads: number;
  /** Hidden channels of the feed-forward networks of encoder and decoders. */
  readonly hidden: number;
  /** Feature levels: three from the backbone, the rest by strided convolutions of its last map. */
  readonly levels: number;
  /** Sampling points per head and level of deformable attention. */
  readonly points: number;
  readonly encoderLayers: number;
  /** Layers of each of the two decoders. */
  readonly decoderLayers: number;
  readonly fusion: FusionConfig;
  /**
   * RLIPv1's late fusion: labels and queries are fused after the decoders. The encoder then has neither fusions nor language
   * layers, and `fusion` is ignored.
   */
  readonly lateFusion: boolean;
  /** Kind of queries. */
  readonly queries: QueryKind;
  /** Number of subject queries, and of object queries. */
  readonly pairs: number;
  /** Initial queries of the relation decoder. */
  readonly verbQuery: VerbQuery;
  /** Branches of the multi-branch fusion. */
  readonly branches: number;
  /**
   * Taggers only. True if the content of a query includes features of its box, its reference is the box itself, and relation
   * queries start from features of both boxes. The official model has to learn all this from the positional query, which a
   * small model cannot do with few layers and short training.
   */
  readonly boxContent: boolean;
  /** Dropout of encoder and decoders while training. */
  readonly dropout: number;
  /** True if text encoder and fusions have a dropout of 0.1 while training, as in the official model. */
  readonly textDropout: boolean;
  /** Official defects to keep. */
  readonly compat: ModelCompat;
}

/**
 * Checks that the numbers of a configuration are consistent.
 * @throws OptionError that names the field, its value and what was expected
 *
 * @example
 * ```ts
 * import { checkConfig, parsedaR50 } from 'relflow/model';
 *
 * const config = { ...parsedaR50, name: 'narrow', width: 128 };
 * checkConfig(config);
 * ```
 */
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
    reject(`boxContent with queries ${config.queries}, expected queries tagger`);
  if (text.layers === 0 && text.vocabulary !== 260)
    reject(`text.layers 0 with text.vocabulary ${text.vocabulary}, expected 260, the vocabulary of bytes`);

  if (levels < 3) reject(`levels ${levels}, expected at least 3`);
  if (width % heads !== 0 || width % 4 !== 0) reject(`width ${width}, expected a multiple of 4 and of heads ${heads}`);
  if (fusion.width % fusion.heads !== 0)
    reject(`fusion.width ${fusion.width}, expected a multiple of fusion.heads ${fusion.heads}`);
  if (text.width % text.heads !== 0)
    reject(`text.width ${text.width}, expected a multiple of text.heads ${text.heads}`);
  if (config.lateFusion && config.queries === 'tagger')
    reject('lateFusion with queries tagger, expected queries parsed or parseda');
  if (config.verbQuery !== 'vanilla' && width % branches !== 0)
    reject(`branches ${branches}, expected a divisor of width ${width}`);
}
