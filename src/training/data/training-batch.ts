import { normalize } from '../../model/image/resize.js';
import type { PairGroup } from '../../model/query-source.js';
import type { Id } from '../../records/image.js';
import { MISSING_OBJECTS } from '../../records/missing-objects.js';
import type { PairTargets } from '../loss/pair-targets.js';
import type { AugmentedImage } from './augment-image.js';
import { denoisingLeakMask, denoisingPairs, type Noise } from './denoising.js';
import { drawWithoutReplacement } from './draw-without-replacement.js';
import { closedLabelSet, type LabelCounts, labelSet, type TrainingLabelSet, type Vocabularies } from './label-set.js';
import { type Paraphrases, paraphraseRelations } from './paraphrase-relations.js';
import { randomStream, STREAMS } from './random-stream.js';
import { samplePairs } from './sample-pairs.js';
import type { TrainingPair, TrainingVocabulary } from './training-sample.js';

/** Where in the data a batch begins. Together with the seed, it determines the batch's random choices. */
export interface DataPosition {
  readonly epoch: number;
  /** Samples of the epoch before this one. */
  readonly position: number;
}

/** The data of a forward pass, in main memory. */
export interface TrainingBatch extends DataPosition {
  /** Normalized pixels, padded with zeros at the right and bottom, `[images, height, width, 3]` in row-major order. */
  readonly pixels: Float32Array;
  readonly height: number;
  readonly width: number;
  /** Size of each image without padding, in pixels. */
  readonly sizes: readonly { readonly height: number; readonly width: number }[];
  readonly images: readonly { readonly id: Id; readonly file: string }[];
  readonly labels: TrainingLabelSet;
  /** Clean boxes and labels, and which relations hold, by image. */
  readonly targets: readonly PairTargets[];
  /** The pairs from which queries are made: noisy copies of the targets, or the targets themselves. */
  readonly noisy: readonly PairGroup[];
  /** Whether `noisy` differs from the targets. */
  readonly hasNoise: boolean;
  /** `[images, 2 slots, 2 slots]`, see `leakMask`; null if nothing is masked. */
  readonly attentionMask: Float32Array | null;
  /**
   * Pairs of an image, padding included: the most of any image and at least 1; all queries of a model that finds pairs.
   */
  readonly slots: number;
  /** Pairs of all images, without padding. */
  readonly pairs: number;
  /** Pairs with a relation. */
  readonly positives: number;
}

/** Options of `trainingBatch`. */
export interface BatchOptions {
  readonly seed: number;
  /** Upper bound of an image's pairs. */
  readonly maxPairs: number;
  readonly labels: LabelCounts;
  readonly paraphrases?: Paraphrases;
  /**
   * Whether pairs without a relation are added, up to `maxPairs`: a tagger needs them, RLIPv2 does not. Default true.
   */
  readonly negatives?: boolean;
  /** The labels of every batch; they are drawn if null or omitted. */
  readonly vocabulary?: TrainingVocabulary | null;
  /** Width and height are padded to a multiple of it, in pixels; default 1. */
  readonly canvasMultiple?: number;
  /** Null for clean queries and no mask, as in evaluation. */
  readonly noise: Noise | null;
  readonly compat: {
    readonly leakMaskForFullBatchesOnly: boolean;
    readonly labelNoiseWithinBatchSize: boolean;
    readonly positivePairsFirst: boolean;
  };
}

/**
 * Makes a batch of images: samples their pairs, merges their labels, and draws noise.
 * @param at determines the random choices, together with the seed
 */
export function trainingBatch(
  images: readonly AugmentedImage[],
  at: DataPosition,
  vocabularies: Vocabularies,
  options: BatchOptions,
): TrainingBatch {
  const { seed, maxPairs, paraphrases, negatives = true, vocabulary = null, noise, compat } = options;
  const stream = (kind: number, k = 0) => randomStream(seed, kind, at.epoch, at.position + k);
  const sampled = images.map(({ sample }, k) => {
    const budget = negatives ? maxPairs : Math.min(maxPairs, sample.pairs.length);
    const random = stream(STREAMS.pairs, k);
    const pairs = samplePairs(random, sample.boxes.length, sample.pairs, budget);
    return compat.positivePairsFirst ? pairs : drawWithoutReplacement(random, pairs, pairs.length);
  });
  const labeled = images.map(({ sample }, k) => ({ categories: sample.categories, pairs: sampled[k]! }));
  const labels = vocabulary
    ? closedLabelSet(vocabulary)
    : labelSet(stream(STREAMS.labels), labeled, vocabularies, options.labels);
  const targets = images.map((image, k) => pairTargets(image, sampled[k]!, labels));
  const slots = negatives ? Math.max(1, ...sampled.map(({ length }) => length)) : maxPairs;
  // Label noise never draws "no objects".
  const noiseLabels = compat.labelNoiseWithinBatchSize ? images.length : Math.max(1, labels.objects.length - 1);
  const isUnmasked = compat.leakMaskForFullBatchesOnly && sampled.some(({ length }) => length < maxPairs);
  return {
    ...at,
    ...paddedPixels(images, options.canvasMultiple ?? 1),
    images: images.map(({ sample: { image } }) => ({ id: image.id, file: image.file })),
    labels: paraphrases
      ? { ...labels, relations: paraphraseRelations(stream(STREAMS.paraphrases), labels.relations, paraphrases) }
      : labels,
    targets,
    noisy: noise
      ? targets.map((group, k) =>
          denoisingPairs(stream(STREAMS.noise, k), group, Math.min(noiseLabels, labels.objects.length), noise),
        )
      : targets,
    hasNoise: noise !== null,
    attentionMask: noise && !isUnmasked ? denoisingLeakMask(targets, slots) : null,
    slots,
    pairs: sampled.reduce((sum, { length }) => sum + length, 0),
    positives: sampled.flat().filter(({ predicates }) => predicates.length > 0).length,
  };
}

function pairTargets(
  { image, sample }: AugmentedImage,
  pairs: readonly TrainingPair[],
  batchLabels: TrainingLabelSet,
): PairTargets {
  const labelOf = new Map(batchLabels.objects.map((name, k) => [name, k]));
  const relationOf = new Map(batchLabels.relations.map((name, k) => [name, k]));
  const boxes = (side: 'subject' | 'object') =>
    Float32Array.from(
      pairs.flatMap((pair) => {
        const at = pair[side];
        if (at === null) return [0, 0, 0, 0];
        const [x, y, w, h] = sample.boxes[at]!;
        return [(x + w / 2) / image.width, (y + h / 2) / image.height, w / image.width, h / image.height];
      }),
    );
  const labels = (side: 'subject' | 'object') =>
    Int32Array.from(pairs, (pair) => {
      const at = pair[side];
      return labelOf.get(at === null ? MISSING_OBJECTS : sample.categories[at]!)!;
    });
  const relations = new Float32Array(pairs.length * batchLabels.relations.length);
  for (const [k, { predicates }] of pairs.entries())
    for (const predicate of predicates) {
      const column = relationOf.get(predicate);
      // A closed vocabulary may lack the mirrored form of a predicate such as `left of`.
      if (column !== undefined) relations[k * batchLabels.relations.length + column] = 1;
    }
  return {
    subjectBoxes: boxes('subject'),
    objectBoxes: boxes('object'),
    subjectLabels: labels('subject'),
    objectLabels: labels('object'),
    relations,
  };
}

/** Normalizes images and pads them to the largest height and width, each rounded up to a multiple. */
function paddedPixels(images: readonly AugmentedImage[], multiple: number) {
  const padded = (lengths: readonly number[]) => multiple * Math.ceil(Math.max(...lengths) / multiple);
  const height = padded(images.map(({ image }) => image.height));
  const width = padded(images.map(({ image }) => image.width));
  const pixels = new Float32Array(images.length * height * width * 3);
  for (const [k, { image }] of images.entries()) {
    const values = normalize(image);
    for (let row = 0; row < image.height; row++)
      pixels.set(values.subarray(3 * row * image.width, 3 * (row + 1) * image.width), 3 * (k * height + row) * width);
  }
  const sizes = images.map(({ image }) => ({ height: image.height, width: image.width }));
  return { pixels, height, width, sizes };
}
