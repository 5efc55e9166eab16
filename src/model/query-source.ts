import * as tf from '@tensorflow/tfjs-core';
import type { PairReferences } from './layers/box-heads.js';
import { defaultLinear, Linear, Mlp } from './layers/linear.js';
import type { DecoderStart } from './layers/pair-decoder.js';
import { ReferencePoints } from './layers/reference-points.js';
import type { ModelConfig } from './model-config.js';
import { MASKED_LOGIT } from './ops/attention.js';
import { logit } from './ops/logit.js';
import { BOX_FEATURES, boxFeatures, PAIR_FEATURES, pairFeatures } from './pair-features.js';
import { normal, type Parameter, type Scope } from './parameter-scope.js';
import { dataTensor, isRecording } from './recording/data-tensor.js';

/** One group of candidate pairs of one image. */
export interface PairGroup {
  /** Boxes of the subjects: cx, cy, w and h in [0, 1] of the image, `[pairs, 4]` in row-major order. */
  readonly subjectBoxes: Float32Array;
  /** Boxes of the objects, in the same format. */
  readonly objectBoxes: Float32Array;
  /** Index of each subject's label among the object labels, `[pairs]`. */
  readonly subjectLabels: Int32Array;
  /** Index of each object's label among the object labels, `[pairs]`. */
  readonly objectLabels: Int32Array;
}

/** Candidate pairs from which queries are made. */
export interface GivenPairs {
  /** The same number of groups for each image of the batch, ordered by image. */
  readonly groups: readonly PairGroup[];
  /** Number of pairs that each group is padded to; padding is masked. Default: the size of the largest group. */
  readonly slots?: number;
  /**
   * 1 for pairs of queries that must not attend to each other, `[groups, 2 slots, 2 slots]`. While training, it keeps
   * queries from seeing the targets of others.
   */
  readonly attentionMask?: tf.Tensor3D;
}

/** Initial queries of both decoders. */
export interface QueryStart {
  /** Initial queries of the subject-object decoder. */
  readonly first: DecoderStart;
  /** Learned content of the relation queries, `[1 or groups, pairs, width]`; `VerbQuery` says how it is used. */
  readonly relationContent: tf.Tensor3D;
  /** Added to the self-attention scores of relation queries, `[groups, 1, 1, pairs]`; null when nothing is masked. */
  readonly relationMask: tf.Tensor | null;
}

/** Source of a model's initial queries. */
export interface QuerySource {
  /**
   * Makes the initial queries of a batch.
   * @param images number of images in the batch
   * @param labels object label vectors, `[batch, labels, width]`
   * @param given candidate pairs, required by taggers
   */
  start(images: number, labels: tf.Tensor3D, given: GivenPairs | undefined): QueryStart;
}

/** Returns the source of queries of a configuration, and declares its parameters. */
export function querySource(outer: Scope, transformer: Scope, config: ModelConfig): QuerySource {
  switch (config.queries) {
    case 'tagger':
      return new TaggerQueries(outer, transformer, config);
    case 'parsed':
      return new PointQueries(outer, transformer, config);
    case 'parseda':
      return new BoxQueries(outer, config);
  }
}

/** Sums of subject and object embeddings: row k of the first half of the table plus row k of the second, `[1, pairs, width]`. */
function pairSums(table: tf.Tensor2D, pairs: number): tf.Tensor3D {
  const [rows, width] = table.shape;
  return tf.expandDims(
    tf.add(tf.slice(table, [0, 0], [pairs, width]), tf.slice(table, [rows / 2, 0], [pairs, width])),
    0,
  );
}

/** Repeats a table for each image: `[rows, width]` → `[images, rows, width]`. */
const repeatForImages = (table: tf.Tensor2D, images: number): tf.Tensor3D =>
  tf.tile(tf.expandDims(table, 0), [images, 1, 1]);

/** Queries of RLIPv2-ParSeD: learned content and positions, from which reference points are computed. Source: RLIPv2, ParSeD. */
class PointQueries implements QuerySource {
  readonly #config: ModelConfig;
  readonly #embedding: Parameter;
  readonly #references: ReferencePoints;

  constructor(outer: Scope, transformer: Scope, config: ModelConfig) {
    const { pairs, width } = config;
    this.#config = config;
    this.#embedding = outer.parameter('query_embed.weight', [2 * pairs, 3 * width], normal(1));
    this.#references = new ReferencePoints(transformer, width);
  }

  start(images: number): QueryStart {
    const [position, content, relations] = tf.split(this.#embedding.variable as tf.Tensor2D, 3, 1) as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor2D,
    ];
    const positions = repeatForImages(position, images);
    return {
      first: {
        content: repeatForImages(content, images),
        position: positions,
        referencePoints: this.#references.apply(positions),
        mask: null,
      },
      relationContent: pairSums(relations, this.#config.pairs),
      relationMask: null,
    };
  }
}

/**
 * Queries of RLIPv2-ParSeDA: learned content and learned boxes.
 *
 * With given pairs, each image has a second group of queries for denoising: they start from the given boxes and labels,
 * which are noisy copies of the targets, so that the decoder learns to attend to a box and to correct it long before the
 * learned boxes are near any target. The official model has no denoising.
 * Source: Liu et al., "DAB-DETR", 2022; denoising: Li et al., "DN-DETR", 2022.
 */
class BoxQueries implements QuerySource {
  readonly #config: ModelConfig;
  readonly #content: Parameter;
  readonly #relations: Parameter;
  readonly #boxes: Parameter;

  constructor(outer: Scope, config: ModelConfig) {
    const { pairs, width } = config;
    this.#config = config;
    this.#content = outer.parameter('tgt_embed.weight', [2 * pairs, width], normal(1));
    this.#relations = outer.parameter('verb_tgt_embed.weight', [2 * pairs, width], normal(1));
    this.#boxes = outer.parameter('refpoint_embed.weight', [2 * pairs, 4], normal(1));
  }

  start(images: number, labels: tf.Tensor3D, given: GivenPairs | undefined): QueryStart {
    const { pairs, width } = this.#config;
    const boxes = repeatForImages(tf.sigmoid(this.#boxes.variable) as tf.Tensor2D, images);
    const content = repeatForImages(this.#content.variable as tf.Tensor2D, images);
    const relations = pairSums(this.#relations.variable as tf.Tensor2D, pairs);
    if (!given) return boxQueryStart(boxes, content, null, relations, null);
    const { boxes: givenBoxes, labelRows, validMask } = padGroups(given.groups, pairs, images, labels.shape[1]);
    const shape: [number, number, number] = [images, 2 * pairs, width];
    const validRows = dataTensor<tf.Tensor3D>('queries.valid', validMask, [images, 2 * pairs, 1]);
    const flat = tf.reshape(labels, [-1, width]); // [images · labels, width]
    const rows = dataTensor<tf.Tensor1D>('queries.labelRows', labelRows, [labelRows.length]);
    const labelContent = tf.mul(tf.reshape(tf.gather(flat, rows), shape), validRows);
    const keyMask = tf.reshape(tf.mul(tf.sub(1, validRows), MASKED_LOGIT), [images, 1, 1, 2 * pairs]);
    const mask = given.attentionMask
      ? tf.add(keyMask, tf.mul(tf.expandDims(given.attentionMask, 1), MASKED_LOGIT))
      : keyMask;
    const relationMask = tf.slice(keyMask, [0, 0, 0, 0], [-1, -1, -1, pairs]);
    return boxQueryStart(
      interleaveGroups(boxes, dataTensor<tf.Tensor3D>('queries.boxes', givenBoxes, [images, 2 * pairs, 4])),
      interleaveGroups(content, labelContent as tf.Tensor3D),
      interleaveGroups(tf.zerosLike(mask), mask),
      interleaveGroups(tf.tile(relations, [images, 1, 1]), tf.zeros([images, pairs, width])),
      interleaveGroups(tf.zerosLike(relationMask), relationMask),
    );
  }
}

function boxQueryStart(
  boxes: tf.Tensor3D,
  content: tf.Tensor3D,
  mask: tf.Tensor | null,
  relationContent: tf.Tensor3D,
  relationMask: tf.Tensor | null,
): QueryStart {
  const [subject, object] = tf.split(boxes, 2, 1) as [tf.Tensor3D, tf.Tensor3D];
  return {
    first: { content, position: null, referencePoints: { subject, object }, mask },
    relationContent,
    relationMask,
  };
}

/** Interleaves learned and given queries: `[images, …]` twice → `[2 · images, …]`, ordered by image. */
function interleaveGroups<T extends tf.Tensor>(learned: T, given: T): T {
  const [images, ...rest] = learned.shape;
  return tf.reshape(tf.stack([learned, given], 1), [2 * images!, ...rest]) as T;
}

/**
 * Queries of the R-Tagger: the box of a subject or object gives the positional query, its label vector the content.
 * Source: RLIPv2, section 4.2.
 */
class TaggerQueries implements QuerySource {
  readonly #width: number;
  readonly #boxes: Linear;
  readonly #start: LearnedStart | BoxStart;

  constructor(outer: Scope, transformer: Scope, config: ModelConfig) {
    this.#width = config.width;
    this.#boxes = new Linear(transformer.at('coord_proj'), 4, config.width, defaultLinear(4));
    this.#start = config.boxContent ? new BoxStart(transformer, config) : new LearnedStart(outer, transformer, config);
  }

  start(images: number, labels: tf.Tensor3D, given: GivenPairs | undefined): QueryStart {
    if (!given) throw new Error('RlipV2.decode: a tagger needs given pairs, found none');
    const { groups } = given;
    const slots = given.slots ?? groups.reduce((most, group) => Math.max(most, group.subjectLabels.length), 1);
    const { boxes, labelRows, validMask } = padGroups(groups, slots, images, labels.shape[1]);
    const shape: [number, number, number] = [groups.length, 2 * slots, this.#width];
    const validRows = dataTensor<tf.Tensor3D>('queries.valid', validMask, [groups.length, 2 * slots, 1]);
    const positions = tf.mul(
      this.#boxes.apply(logit(boxTensor(boxes, groups.length, slots))),
      validRows,
    ) as tf.Tensor3D; // [groups, 2 slots, width]
    const flat = tf.reshape(labels, [-1, this.#width]); // [images · labels, width]
    const content = tf.mul(
      tf.reshape(tf.gather(flat, dataTensor<tf.Tensor1D>('queries.labelRows', labelRows, [labelRows.length])), shape),
      validRows,
    ) as tf.Tensor3D;
    const isMasked = isRecording() || validMask.includes(0);
    const keyMask = isMasked
      ? tf.reshape(tf.mul(tf.sub(1, validRows), MASKED_LOGIT), [groups.length, 1, 1, 2 * slots])
      : null;
    const attentionMask = given.attentionMask ? tf.mul(tf.expandDims(given.attentionMask, 1), MASKED_LOGIT) : null;
    const { extraContent, referencePoints, relationContent } = this.#start.apply({ groups, slots, positions, boxes });
    return {
      first: {
        content: extraContent ? tf.add(content, tf.mul(extraContent, validRows)) : content,
        position: positions,
        referencePoints,
        mask: keyMask && attentionMask ? tf.add(keyMask, attentionMask) : (keyMask ?? attentionMask),
      },
      relationContent,
      relationMask: keyMask && tf.slice(keyMask, [0, 0, 0, 0], [-1, -1, -1, slots]),
    };
  }
}

const boxTensor = (boxes: Float32Array, groups: number, slots: number) =>
  dataTensor<tf.Tensor3D>('queries.boxes', boxes, [groups, 2 * slots, 4]);

/** Given pairs, padded to the same number per group. */
interface PaddedPairs {
  readonly groups: readonly PairGroup[];
  readonly slots: number;
  /** Positional queries, `[groups, 2 slots, width]`. */
  readonly positions: tf.Tensor3D;
  /** cx, cy, w and h in [0, 1], `[groups, 2 slots, 4]` in row-major order. */
  readonly boxes: Float32Array;
}

/** Initial values of the queries of given pairs, besides labels and positional queries. */
interface PairQueryStart {
  /** Added to the label vectors, `[groups, 2 slots, width]`; null when nothing is added. */
  readonly extraContent: tf.Tensor3D | null;
  readonly referencePoints: PairReferences;
  readonly relationContent: tf.Tensor3D;
}

/** Start of the official tagger: reference points are computed from positional queries, not from boxes, and each slot has a learned relation query. */
class LearnedStart {
  readonly #relations: Parameter;
  readonly #references: ReferencePoints;

  constructor(outer: Scope, transformer: Scope, { pairs, width }: ModelConfig) {
    this.#relations = transformer.parameter('verb_tgt.weight', [2 * pairs, width], normal(1));
    this.#references = new ReferencePoints(transformer, width);
    // Official checkpoints contain this table, but the model uses only its number of rows.
    outer.frozen().parameter('query_embed.weight', [2 * pairs, 3 * width], normal(1));
  }

  apply({ slots, positions }: PaddedPairs): PairQueryStart {
    const relationContent = pairSums(this.#relations.variable as tf.Tensor2D, slots);
    return { extraContent: null, referencePoints: this.#references.apply(positions), relationContent };
  }
}

/** Start of taggers with `boxContent`: references are the given boxes; contents are computed from features of boxes and pairs. */
class BoxStart {
  readonly #box: Mlp;
  readonly #pair: Mlp;

  constructor(transformer: Scope, { width }: ModelConfig) {
    this.#box = new Mlp(transformer.at('box_content'), [BOX_FEATURES, width, width]);
    this.#pair = new Mlp(transformer.at('pair_content'), [PAIR_FEATURES, width, width]);
  }

  apply({ groups, slots, boxes }: PaddedPairs): PairQueryStart {
    const all = boxTensor(boxes, groups.length, slots);
    const [subject, object] = tf.split(all, 2, 1) as [tf.Tensor3D, tf.Tensor3D];
    const features = dataTensor<tf.Tensor3D>('queries.boxFeatures', boxFeatures(boxes), [
      groups.length,
      2 * slots,
      BOX_FEATURES,
    ]);
    const pairs = dataTensor<tf.Tensor3D>('queries.pairFeatures', pairFeatures(boxes, groups.length, slots), [
      groups.length,
      slots,
      PAIR_FEATURES,
    ]);
    return {
      extraContent: this.#box.apply(features) as tf.Tensor3D,
      referencePoints: { subject, object },
      relationContent: this.#pair.apply(pairs) as tf.Tensor3D,
    };
  }
}

/**
 * Pads groups with zeros to `slots` pairs.
 * @param labelCount number of object labels
 * @returns `boxes` `[groups, 2 slots, 4]`; `labelRows`, indices into the label vectors `[images · labels, width]`, and
 *   `validMask`, 1 for pairs and 0 for padding, `[groups, 2 slots]` each; subjects first, then objects
 */
function padGroups(groups: readonly PairGroup[], slots: number, images: number, labelCount: number) {
  const boxes = new Float32Array(groups.length * 2 * slots * 4);
  const labelRows = new Int32Array(groups.length * 2 * slots);
  const validMask = new Float32Array(groups.length * 2 * slots);
  for (const [g, group] of groups.entries()) {
    const image = Math.floor((g * images) / groups.length);
    const count = group.subjectLabels.length;
    for (const [half, sideBoxes, labels] of [
      [0, group.subjectBoxes, group.subjectLabels],
      [1, group.objectBoxes, group.objectLabels],
    ] as const) {
      const start = (2 * g + half) * slots;
      boxes.set(sideBoxes, start * 4);
      for (let k = 0; k < count; k++) labelRows[start + k] = image * labelCount + labels[k]!;
      validMask.fill(1, start, start + count);
      // Softmax over an empty group is NaN, so its first row stays unmasked; its output is ignored.
      if (count === 0 && half === 0) validMask[start] = 1;
    }
  }
  return { boxes, labelRows, validMask };
}
