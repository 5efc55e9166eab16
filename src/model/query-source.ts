import * as tf from '@tensorflow/tfjs-core';
import type { PairReferences } from './layers/box-heads.js';
import { defaultLinear, Linear, Mlp } from './layers/linear.js';
import type { DecoderStart } from './layers/pair-decoder.js';
import { ReferencePoints } from './layers/reference-points.js';
import type { ModelConfig } from './model-config.js';
import { MASKED_LOGIT } from './ops/attention.js';
import { logit } from './ops/boxes.js';
import { BOX_FEATURES, boxFeatures, PAIR_FEATURES, pairFeatures } from './pair-features.js';
import { normal, type Parameter, type Scope } from './parameter-scope.js';

/** Pairs of boxes to be judged: one group of one image. */
export interface PairGroup {
  /** cx, cy, w and h in [0, 1] of the image, `[pairs, 4]` row by row. */
  readonly subjectBoxes: Float32Array;
  readonly objectBoxes: Float32Array;
  /** Which object label each one has, `[pairs]`. */
  readonly subjectLabels: Int32Array;
  readonly objectLabels: Int32Array;
}

/** What queries of given pairs are made of beside the model's weights. */
export interface GivenPairs {
  /** As many groups for each image of the batch, one image after the other. */
  readonly groups: readonly PairGroup[];
  /** Pairs that a group has room for; what is not used is masked. As many as the largest group has, if absent. */
  readonly slots?: number;
  /** Which queries may not see each other, `[groups, 2 slots, 2 slots]`, 1 each: the mask against leaks while training. */
  readonly attentionMask?: tf.Tensor3D;
}

/** What both decoders start from. */
export interface QueryStart {
  readonly first: DecoderStart;
  /** `[1 or groups, pairs, width]`: what the relation decoder starts from besides what the first decoder found. */
  readonly relationContent: tf.Tensor3D;
  /** Added to scores among relation queries; null where all is seen. */
  readonly relationMask: tf.Tensor | null;
}

/** Where a model's queries come from. */
export interface QuerySource {
  /**
   * @param images in the batch
   * @param labels object label vectors, `[batch, labels, width]`
   */
  start(images: number, labels: tf.Tensor3D, given: GivenPairs | undefined): QueryStart;
}

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

/** Rows of the first half and of the second half of a table, added up pair by pair: `[1, pairs, width]`. */
function pairSums(table: tf.Tensor2D, pairs: number): tf.Tensor3D {
  const [rows, width] = table.shape;
  return tf.expandDims(
    tf.add(tf.slice(table, [0, 0], [pairs, width]), tf.slice(table, [rows / 2, 0], [pairs, width])),
    0,
  );
}

const repeatForImages = (table: tf.Tensor2D, images: number): tf.Tensor3D =>
  tf.tile(tf.expandDims(table, 0), [images, 1, 1]);

/** RLIPv2-ParSeD: queries that were learned, and points that are made of them. */
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
 * RLIPv2-ParSeDA: boxes that were learned. Given pairs, each image has a second group of queries, which begin at those
 * boxes with those labels: while training, noisy copies of what is true teach to look at a box and to set it right long
 * before the learned ones are anywhere near. Source of that: Li et al., "DN-DETR", 2022; the official model has none.
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
    const validRows = tf.tensor3d(validMask, [images, 2 * pairs, 1]);
    const flat = tf.reshape(labels, [-1, width]);
    const labelContent = tf.mul(tf.reshape(tf.gather(flat, tf.tensor1d(labelRows, 'int32')), shape), validRows);
    const keyMask = tf.reshape(tf.mul(tf.sub(1, validRows), MASKED_LOGIT), [images, 1, 1, 2 * pairs]);
    const mask = given.attentionMask
      ? tf.add(keyMask, tf.mul(tf.expandDims(given.attentionMask, 1), MASKED_LOGIT))
      : keyMask;
    const relationMask = tf.slice(keyMask, [0, 0, 0, 0], [-1, -1, -1, pairs]);
    return boxQueryStart(
      interleaveGroups(boxes, tf.tensor3d(givenBoxes, [images, 2 * pairs, 4])),
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

/** `[images, …]` twice → `[2 images, …]`, each image's two groups one after the other. */
function interleaveGroups<T extends tf.Tensor>(learned: T, given: T): T {
  const [images, ...rest] = learned.shape;
  return tf.reshape(tf.stack([learned, given], 1), [2 * images!, ...rest]) as T;
}

/**
 * The R-Tagger: a box is what a query looks for, its label what it has gathered. Where it looks first is made of the box
 * query, not of the box. Source: RLIPv2, section 4.2.
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
    if (!given) throw new Error('a tagger needs pairs to judge');
    const { groups } = given;
    const slots = given.slots ?? groups.reduce((most, group) => Math.max(most, group.subjectLabels.length), 1);
    const { boxes, labelRows, validMask } = padGroups(groups, slots, images, labels.shape[1]);
    const shape: [number, number, number] = [groups.length, 2 * slots, this.#width];
    const validRows = tf.tensor3d(validMask, [groups.length, 2 * slots, 1]);
    const positions = tf.mul(
      this.#boxes.apply(logit(tf.tensor3d(boxes, [groups.length, 2 * slots, 4]))),
      validRows,
    ) as tf.Tensor3D;
    const flat = tf.reshape(labels, [-1, this.#width]);
    const content = tf.mul(
      tf.reshape(tf.gather(flat, tf.tensor1d(labelRows, 'int32')), shape),
      validRows,
    ) as tf.Tensor3D;
    const keyMask = validMask.includes(0)
      ? tf.reshape(tf.mul(tf.sub(1, validRows), MASKED_LOGIT), [groups.length, 1, 1, 2 * slots])
      : null;
    const attentionMask = given.attentionMask ? tf.mul(tf.expandDims(given.attentionMask, 1), MASKED_LOGIT) : null;
    const { extraContent, referencePoints, relationContent } = this.#start.of({ groups, slots, positions, boxes });
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

/** Given pairs, laid out. */
interface PaddedPairs {
  readonly groups: readonly PairGroup[];
  readonly slots: number;
  /** `[groups, 2 slots, width]` */
  readonly positions: tf.Tensor3D;
  /** `[groups, 2 slots, 4]` row by row */
  readonly boxes: Float32Array;
}

/** What given pairs begin with beside label and position. */
interface PairQueryStart {
  /** Added to the labels, `[groups, 2 slots, width]`. */
  readonly extraContent: tf.Tensor3D | null;
  readonly referencePoints: PairReferences;
  readonly relationContent: tf.Tensor3D;
}

/** Points that are made of the box queries, and relation queries that were learned, one a slot. */
class LearnedStart {
  readonly #relations: Parameter;
  readonly #references: ReferencePoints;

  constructor(outer: Scope, transformer: Scope, { pairs, width }: ModelConfig) {
    this.#relations = transformer.parameter('verb_tgt.weight', [2 * pairs, width], normal(1));
    this.#references = new ReferencePoints(transformer, width);
    // Official checkpoints hold it, and use no more of it than how many rows it has.
    outer.frozen().parameter('query_embed.weight', [2 * pairs, 3 * width], normal(1));
  }

  of({ slots, positions }: PaddedPairs): PairQueryStart {
    const relationContent = pairSums(this.#relations.variable as tf.Tensor2D, slots);
    return { extraContent: null, referencePoints: this.#references.apply(positions), relationContent };
  }
}

/** The boxes as they are given: where queries look, what they know, and how a pair's lie to each other. */
class BoxStart {
  readonly #box: Mlp;
  readonly #pair: Mlp;

  constructor(transformer: Scope, { width }: ModelConfig) {
    this.#box = new Mlp(transformer.at('box_content'), [BOX_FEATURES, width, width]);
    this.#pair = new Mlp(transformer.at('pair_content'), [PAIR_FEATURES, width, width]);
  }

  of({ groups, slots, boxes }: PaddedPairs): PairQueryStart {
    const all = tf.tensor3d(boxes, [groups.length, 2 * slots, 4]);
    const [subject, object] = tf.split(all, 2, 1) as [tf.Tensor3D, tf.Tensor3D];
    const features = tf.tensor3d(boxFeatures(boxes), [groups.length, 2 * slots, BOX_FEATURES]);
    const pairs = tf.tensor3d(pairFeatures(boxes, groups.length, slots), [groups.length, slots, PAIR_FEATURES]);
    return {
      extraContent: this.#box.apply(features) as tf.Tensor3D,
      referencePoints: { subject, object },
      relationContent: this.#pair.apply(pairs) as tf.Tensor3D,
    };
  }
}

/** Groups as rows of subjects, then of objects; what is not used is zero. */
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
      // A group with nothing to see would be NaN; its first row stands in, and nobody reads it.
      if (count === 0 && half === 0) validMask[start] = 1;
    }
  }
  return { boxes, labelRows, validMask };
}
