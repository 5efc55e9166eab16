import * as tf from '@tensorflow/tfjs-core';
import type { MemoryGeometry } from '../geometry.js';
import type { ModelConfig } from '../model-config.js';
import { detach } from '../ops/detach.js';
import type { Scope } from '../parameter-scope.js';
import type { BoxHeads, PairReferences } from './box-heads.js';
import { BoxPosition } from './box-position.js';
import { DecoderLayer } from './decoder-layer.js';
import type { Dropout } from './dropout.js';

/** Encoded batch that the decoders attend to. */
export interface Memory {
  /** `[batch, tokens, width]` */
  readonly tokens: tf.Tensor3D;
  readonly geometry: MemoryGeometry;
}

/** Initial queries of a decoder. */
export interface DecoderStart {
  /** Content queries, `[groups, queries, width]`. */
  readonly content: tf.Tensor3D;
  /** Positional queries, the same shape; null when each layer computes them from the boxes. */
  readonly position: tf.Tensor3D | null;
  /** `[groups, pairs, 2 or 4]` each, in [0, 1] of the image. */
  readonly referencePoints: PairReferences;
  /** Added to the self-attention scores, broadcasts to `[groups, heads, queries, queries]`; null when nothing is masked. */
  readonly mask: tf.Tensor | null;
}

/** Outputs of every layer of a decoder. */
export interface DecodedPairs {
  /** Content queries after each layer, `[groups, queries, width]`. */
  readonly states: readonly tf.Tensor3D[];
  /** Boxes of subjects and objects after each layer, `[groups, pairs, 4]`, cx, cy, w and h in [0, 1] of the image. */
  readonly boxes: readonly PairReferences[];
}

/**
 * Converts references from [0, 1] of the image to [0, 1] of the padded canvas, for every level.
 * @param references `[groups, queries, 2 or 4]`
 * @returns `[groups, queries, levels, 2 or 4]`
 */
function scaleToLevels(references: tf.Tensor3D, { validRatios, batch }: MemoryGeometry): tf.Tensor4D {
  const [groups, queries, coordinates] = references.shape;
  const levels = validRatios.shape[1];
  const scale = coordinates === 4 ? tf.concat([validRatios, validRatios], 2) : validRatios;
  const perGroup = groups === batch ? scale : repeatImages(scale, groups / batch);
  return tf.mul(
    tf.reshape(references, [groups, queries, 1, coordinates]),
    tf.reshape(perGroup, [groups, 1, levels, coordinates]),
  );
}

/** Repeats each image `groups` times: `[images, …]` → `[images · groups, …]`, ordered by image. */
function repeatImages(x: tf.Tensor3D, groups: number): tf.Tensor3D {
  const [images, levels, coordinates] = x.shape;
  const repeated = tf.tile(tf.reshape(x, [images, 1, levels, coordinates]), [1, groups, 1, 1]);
  return tf.reshape(repeated, [images * groups, levels, coordinates]);
}

/**
 * Decoder whose layers refine boxes of subjects and objects.
 * Source: Deformable DETR, `DeformableTransformerDecoder` with iterative box refinement.
 */
abstract class PairDecoder {
  protected readonly layers: readonly DecoderLayer[];
  protected readonly boxPosition: BoxPosition | null;
  protected readonly refinesBoxes: boolean;
  readonly #boxes: BoxHeads;

  /** @param boxes box heads, which belong to the outer model */
  constructor(scope: Scope, config: ModelConfig, boxes: BoxHeads) {
    this.layers = Array.from(
      { length: config.decoderLayers },
      (_, k) => new DecoderLayer(scope.at('layers', k), config),
    );
    this.boxPosition = config.queries === 'parseda' ? new BoxPosition(scope, config.width) : null;
    this.refinesBoxes = !config.boxContent;
    this.#boxes = boxes;
  }

  /** @returns states `[groups, queries, width]` and boxes `[groups, pairs, 4]` after each layer */
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
      // The next layer starts from this layer's boxes, but its gradients do not flow into them.
      pairReferences = { subject: detach(refined.subject), object: detach(refined.object) };
      states.push(content);
      boxes.push(refined);
    }
    return { states, boxes };
  }

  /** Reference point or box of each query, `[groups, queries, 2 or 4]`. */
  protected abstract pairPoints(references: PairReferences): tf.Tensor3D;
  /** Boxes after a layer, `[groups, pairs, 4]` each. */
  protected abstract refine(
    heads: BoxHeads,
    layer: number,
    content: tf.Tensor3D,
    references: PairReferences,
  ): PairReferences;
}

/** Selects the references of the finest level: `[groups, queries, levels, 4]` → `[groups, queries, 4]`. */
function finestLevel(references: tf.Tensor4D): tf.Tensor3D {
  const [groups, queries, , coordinates] = references.shape;
  return tf.reshape(tf.slice(references, [0, 0, 0, 0], [-1, -1, 1, -1]), [groups, queries, coordinates]);
}

/**
 * Detects subjects with the first half of the queries and objects with the second half, in parallel.
 * Source: RLIPv2, ParSe.
 */
export class SubjectObjectDecoder extends PairDecoder {
  protected override pairPoints({ subject, object }: PairReferences): tf.Tensor3D {
    return tf.concat([subject, object], 1); // [groups, 2 pairs, 2 or 4]
  }

  protected override refine(
    heads: BoxHeads,
    layer: number,
    content: tf.Tensor3D,
    references: PairReferences,
  ): PairReferences {
    const [subject, object] = tf.split(content, 2, 1) as [tf.Tensor, tf.Tensor]; // [groups, pairs, width] each
    return heads.refine(layer, subject, object, references);
  }
}

/**
 * Decodes the relation of each pair. Its reference is the mean of the subject and object boxes, which its own box heads
 * keep refining: no loss trains those heads, but the official weights were trained with them in place. Models with
 * `boxContent` have none.
 * Source: RLIPv2, ParSe, `verb_decoder`.
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
