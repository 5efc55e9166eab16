import * as tf from '@tensorflow/tfjs-core';
import type { Geometry } from '../geometry.js';
import type { ModelConfig } from '../model-config.js';
import { detach } from '../ops/detach.js';
import type { Scope } from '../parameter-scope.js';
import type { BoxHeads, PairReferences } from './box-heads.js';
import { BoxPosition } from './box-position.js';
import { DecoderLayer } from './decoder-layer.js';
import type { Dropout } from './dropout.js';

/** An encoded batch as decoders read it. */
export interface Memory {
  /** `[batch, tokens, width]` */
  readonly tokens: tf.Tensor3D;
  readonly geometry: Geometry;
}

/** What a decoder starts from. */
export interface DecoderStart {
  /** `[groups, queries, width]` */
  readonly content: tf.Tensor3D;
  /** The same shape; null where it is made of the boxes, layer by layer. */
  readonly position: tf.Tensor3D | null;
  readonly referencePoints: PairReferences;
  readonly mask: tf.Tensor | null;
}

/** What comes out of each layer. */
export interface DecodedPairs {
  /** `[groups, queries, width]` a layer */
  readonly states: readonly tf.Tensor3D[];
  /** Boxes `[groups, pairs, 4]` a layer, the subjects' and the objects'. */
  readonly boxes: readonly PairReferences[];
}

/**
 * References of queries on every level: a place in [0, 1] of the image becomes one in [0, 1] of the canvas.
 * @param places `[groups, queries, 2 or 4]`
 * @returns `[groups, queries, levels, 2 or 4]`
 */
function scaleToLevels(references: tf.Tensor3D, { validRatios, batch }: Geometry): tf.Tensor4D {
  const [groups, queries, coordinates] = references.shape;
  const levels = validRatios.shape[1];
  const scale = coordinates === 4 ? tf.concat([validRatios, validRatios], 2) : validRatios;
  const perGroup = groups === batch ? scale : repeatImages(scale, groups / batch);
  return tf.mul(
    tf.reshape(references, [groups, queries, 1, coordinates]),
    tf.reshape(perGroup, [groups, 1, levels, coordinates]),
  );
}

/** `[images, …]` → `[images · groups, …]`, each image's groups one after the other. */
function repeatImages(x: tf.Tensor3D, groups: number): tf.Tensor3D {
  const [images, levels, coordinates] = x.shape;
  const repeated = tf.tile(tf.reshape(x, [images, 1, levels, coordinates]), [1, groups, 1, 1]);
  return tf.reshape(repeated, [images * groups, levels, coordinates]);
}

abstract class PairDecoder {
  protected readonly layers: readonly DecoderLayer[];
  protected readonly boxPosition: BoxPosition | null;
  protected readonly refinesBoxes: boolean;
  readonly #boxes: BoxHeads;

  /** @param boxes heads that are the outer model's */
  constructor(scope: Scope, config: ModelConfig, boxes: BoxHeads) {
    this.layers = Array.from(
      { length: config.decoderLayers },
      (_, k) => new DecoderLayer(scope.at('layers', k), config),
    );
    this.boxPosition = config.queries === 'parseda' ? new BoxPosition(scope, config.width) : null;
    this.refinesBoxes = !config.boxContent;
    this.#boxes = boxes;
  }

  apply(start: DecoderStart, memory: Memory, drop: Dropout): DecodedPairs {
    const { geometry } = memory;
    const image = { tokens: memory.tokens, levels: geometry.levels, validMask: geometry.validMask };
    const states: tf.Tensor3D[] = [];
    const boxes: PairReferences[] = [];
    let { content, referencePoints: pairReferences } = start;
    for (const [k, layer] of this.layers.entries()) {
      const referencePoints = scaleToLevels(this.pairPoints(pairReferences), geometry);
      const position = start.position ?? this.boxPosition!.apply(finestLevel(referencePoints), content, k);
      content = layer.apply({ content, position, referencePoints, mask: start.mask }, image, drop);
      const refined = this.refine(this.#boxes, k, content, pairReferences);
      // The next layer looks where this one ended, but what it learns does not move this one's boxes.
      pairReferences = { subject: detach(refined.subject), object: detach(refined.object) };
      states.push(content);
      boxes.push(refined);
    }
    return { states, boxes };
  }

  /** Where each query looks. */
  protected abstract pairPoints(references: PairReferences): tf.Tensor3D;
  protected abstract refine(
    heads: BoxHeads,
    layer: number,
    content: tf.Tensor3D,
    references: PairReferences,
  ): PairReferences;
}

/** `[groups, queries, levels, 4]` → `[groups, queries, 4]`, those of the finest level. */
function finestLevel(references: tf.Tensor4D): tf.Tensor3D {
  const [groups, queries, , coordinates] = references.shape;
  return tf.reshape(tf.slice(references, [0, 0, 0, 0], [-1, -1, 1, -1]), [groups, queries, coordinates]);
}

/** Finds subjects and objects side by side: the first half of the queries, and the second. Source: RLIPv2, ParSe. */
export class SubjectObjectDecoder extends PairDecoder {
  protected override pairPoints({ subject, object }: PairReferences): tf.Tensor3D {
    return tf.concat([subject, object], 1);
  }

  protected override refine(
    heads: BoxHeads,
    layer: number,
    content: tf.Tensor3D,
    references: PairReferences,
  ): PairReferences {
    const [subject, object] = tf.split(content, 2, 1) as [tf.Tensor, tf.Tensor];
    return heads.refine(layer, subject, object, references);
  }
}

/**
 * Says how a subject and an object belong together. It looks at the mean of both boxes, which its own box heads go on
 * moving: no loss ever trained those, but the weights were trained with them in place. Models with `boxContent` have none.
 */
export class RelationDecoder extends PairDecoder {
  protected override pairPoints({ subject, object }: PairReferences): tf.Tensor3D {
    return tf.mul(tf.add(subject, object), 0.5);
  }

  protected override refine(
    heads: BoxHeads,
    layer: number,
    content: tf.Tensor3D,
    references: PairReferences,
  ): PairReferences {
    if (!this.refinesBoxes) return references;
    const state = detach(content);
    return heads.refine(this.layers.length + layer, state, state, references);
  }
}
