import { normalize } from '../../model/image/resize.js';
import type { PairGroup } from '../../model/query-source.js';
import type { Id } from '../../records/image.js';
import type { PairTargets } from '../loss/pair-targets.js';
import type { AugmentedImage } from './augment-image.js';
import { leakMask, type Noise, noisyPairs } from './denoising.js';
import {
  closedLabelSet,
  type LabelCounts,
  labelSet,
  type Paraphrases,
  paraphraseRelations,
  type TrainingLabelSet,
  type Vocabularies,
} from './label-set.js';
import { drawWithoutReplacement, randomStream, STREAMS } from './random-stream.js';
import { samplePairs } from './sample-pairs.js';
import type { TrainingPair, TrainingVocabulary } from './training-sample.js';

/** Where in the data a batch begins; what is drawn for it follows from this and the seed. */
export interface DataPosition {
  readonly epoch: number;
  /** Samples of the epoch that came before. */
  readonly position: number;
}

/** One step's data, in plain memory. */
export interface TrainingBatch extends DataPosition {
  /** Normalised, zeros behind an image's right and bottom edge, `[images, height, width, 3]` row by row. */
  readonly pixels: Float32Array;
  readonly height: number;
  readonly width: number;
  /** How much of the canvas each image fills. */
  readonly sizes: readonly { readonly height: number; readonly width: number }[];
  readonly images: readonly { readonly id: Id; readonly file: string }[];
  readonly labels: TrainingLabelSet;
  /** Clean boxes and labels, and which relations hold. */
  readonly targets: readonly PairTargets[];
  /** What queries are made of. */
  readonly noisy: readonly PairGroup[];
  /** Whether these are other than the targets. */
  readonly hasNoise: boolean;
  /** `[images, 2 slots, 2 slots]`, or null where nothing is to be kept apart. */
  readonly attentionMask: Float32Array | null;
  /** The most pairs of an image, and at least 1; of a model that finds pairs, all of its queries. */
  readonly slots: number;
  /** Pairs of all images; none of them has a relation where `positives` is 0. */
  readonly pairs: number;
  readonly positives: number;
}

export interface BatchOptions {
  readonly seed: number;
  /** Pairs an image at most. */
  readonly maxPairs: number;
  readonly labels: LabelCounts;
  readonly paraphrases?: Paraphrases;
  /** Pairs without a relation too, up to `pairs`: a tagger is asked for them, RLIPv2 is to find none. Default true. */
  readonly negatives?: boolean;
  /** All texts of every batch; null or absent where they are drawn. */
  readonly vocabulary?: TrainingVocabulary | null;
  /** Null while evaluating: clean queries, and no mask. */
  readonly noise: Noise | null;
  readonly compat: {
    readonly leakMaskForFullBatchesOnly: boolean;
    readonly labelNoiseWithinBatchSize: boolean;
    readonly positivePairsFirst: boolean;
  };
}

/** Puts views together: pairs are sampled, texts merged, noise is drawn. */
export function trainingBatch(
  views: readonly AugmentedImage[],
  at: DataPosition,
  vocabularies: Vocabularies,
  {
    seed,
    maxPairs: budget,
    labels: targets,
    paraphrases,
    negatives = true,
    vocabulary = null,
    noise,
    compat,
  }: BatchOptions,
): TrainingBatch {
  const stream = (kind: number, k = 0) => randomStream(seed, kind, at.epoch, at.position + k);
  const chosen = views.map(({ sample }, k) => {
    const most = negatives ? budget : Math.min(budget, sample.pairs.length);
    const random = stream(STREAMS.pairs, k);
    const sampled = samplePairs(random, sample.boxes.length, sample.pairs, most);
    return compat.positivePairsFirst ? sampled : drawWithoutReplacement(random, sampled, sampled.length);
  });
  const named = views.map(({ sample }, k) => ({ categories: sample.categories, pairs: chosen[k]! }));
  const texts = vocabulary ? closedLabelSet(vocabulary) : labelSet(stream(STREAMS.texts), named, vocabularies, targets);
  const clean = views.map((view, k) => pairTargets(view, chosen[k]!, texts));
  // Queries of a model that finds pairs by itself are as many as they are.
  const slots = negatives ? Math.max(1, ...chosen.map(({ length }) => length)) : budget;
  // "no objects" is no label that anything is taken for.
  const labels = compat.labelNoiseWithinBatchSize ? views.length : Math.max(1, texts.objects.length - 1);
  const unmasked = compat.leakMaskForFullBatchesOnly && chosen.some(({ length }) => length < budget);
  return {
    ...at,
    ...canvas(views),
    images: views.map(({ sample: { image } }) => ({ id: image.id, file: image.file })),
    labels: paraphrases
      ? { ...texts, relations: paraphraseRelations(stream(STREAMS.words), texts.relations, paraphrases) }
      : texts,
    targets: clean,
    noisy: noise
      ? clean.map((group, k) =>
          noisyPairs(stream(STREAMS.noise, k), group, Math.min(labels, texts.objects.length), noise),
        )
      : clean,
    hasNoise: noise !== null,
    attentionMask: noise && !unmasked ? leakMask(clean, slots) : null,
    slots,
    pairs: chosen.reduce((sum, { length }) => sum + length, 0),
    positives: chosen.flat().filter(({ predicates }) => predicates.length > 0).length,
  };
}

function pairTargets(
  { image, sample }: AugmentedImage,
  pairs: readonly TrainingPair[],
  texts: TrainingLabelSet,
): PairTargets {
  const labelOf = new Map(texts.objects.map((name, k) => [name, k]));
  const relationOf = new Map(texts.relations.map((name, k) => [name, k]));
  const boxes = (side: 'subject' | 'object') =>
    Float32Array.from(
      pairs.flatMap((pair) => {
        const [x, y, w, h] = sample.boxes[pair[side]]!;
        return [(x + w / 2) / image.width, (y + h / 2) / image.height, w / image.width, h / image.height];
      }),
    );
  const labels = (side: 'subject' | 'object') =>
    Int32Array.from(pairs, (pair) => labelOf.get(sample.categories[pair[side]]!)!);
  const relations = new Float32Array(pairs.length * texts.relations.length);
  for (const [k, { predicates }] of pairs.entries())
    for (const predicate of predicates) {
      const column = relationOf.get(predicate);
      // A mirrored `left of` need not be in a closed set.
      if (column !== undefined) relations[k * texts.relations.length + column] = 1;
    }
  return {
    subjectBoxes: boxes('subject'),
    objectBoxes: boxes('object'),
    subjectLabels: labels('subject'),
    objectLabels: labels('object'),
    relations,
  };
}

/** Images in the top left corner of a canvas that holds the largest. */
function canvas(views: readonly AugmentedImage[]) {
  const height = Math.max(...views.map(({ image }) => image.height));
  const width = Math.max(...views.map(({ image }) => image.width));
  const pixels = new Float32Array(views.length * height * width * 3);
  for (const [k, { image }] of views.entries()) {
    const values = normalize(image);
    for (let row = 0; row < image.height; row++)
      pixels.set(values.subarray(3 * row * image.width, 3 * (row + 1) * image.width), 3 * (k * height + row) * width);
  }
  return { pixels, height, width, sizes: views.map(({ image: { height: h, width: w } }) => ({ height: h, width: w })) };
}
