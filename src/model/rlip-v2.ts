import * as tf from '@tensorflow/tfjs-core';
import { Convolutions } from './backbone/convolutions.js';
import { ResNet } from './backbone/resnet.js';
import { Swin } from './backbone/swin.js';
import { geometryLevel, geometryOf, type ImageBatch, type Level, type MemoryGeometry } from './geometry.js';
import { AlifEncoder, type OnStage } from './layers/alif-encoder.js';
import { BoxHeads, type PairReferences } from './layers/box-heads.js';
import { type Dropout, noDropout } from './layers/dropout.js';
import { FeatureLevels } from './layers/feature-levels.js';
import { LateFusion } from './layers/late-fusion.js';
import { defaultLinear, Linear } from './layers/linear.js';
import { MultiBranchFusion } from './layers/multi-branch-fusion.js';
import { LayerNorm } from './layers/norms.js';
import { type DecodedPairs, RelationDecoder, SubjectObjectDecoder } from './layers/pair-decoder.js';
import { SimilarityHeads } from './layers/similarity-heads.js';
import { type BackboneShape, checkConfig, type ModelConfig } from './model-config.js';
import type { LevelSize } from './ops/deformable-attention.js';
import { detach } from './ops/detach.js';
import { normal, type Parameter, Scope } from './parameter-scope.js';
import { type GivenPairs, type QuerySource, querySource } from './query-source.js';
import { HashedTextEncoder } from './text/hashed-text-encoder.js';
import { Roberta, type TokenizedTexts } from './text/roberta.js';

const RESIZER_DROPOUT = 0.1;

/** Labels of a batch: first the object labels, the last of which is "no objects", then the relation labels. */
export interface LabelSet {
  /** Label vectors: `[labels, text width]` shared by all images, or `[batch, labels, text width]`. */
  readonly vectors: tf.Tensor2D | tf.Tensor3D;
  /** Number of object labels. */
  readonly objectCount: number;
  /** `[batch, labels]`, 1 for padding; null or omitted when no label is padding. */
  readonly paddingMask?: tf.Tensor2D | null;
}

/** Output of the encoder for a batch. */
export interface Encoded {
  /** Image tokens, `[batch, tokens, width]`. */
  readonly memory: tf.Tensor3D;
  /** Levels and padding of the tokens. */
  readonly geometry: MemoryGeometry;
  /** Label vectors for each decoder layer, `[batch, labels, width]`. */
  readonly labels: readonly tf.Tensor3D[];
  /** Number of object labels. */
  readonly objectCount: number;
  /** `[batch, labels]`, 1 for padding; null when no label is padding. */
  readonly paddingMask: tf.Tensor2D | null;
}

/** Predictions of one decoder layer. */
export interface LayerOutput {
  /** Logits of the subject's category, `[groups, pairs, object labels]`. */
  readonly subjectLogits: tf.Tensor3D;
  /** Logits of the object's category, `[groups, pairs, object labels]`. */
  readonly objectLogits: tf.Tensor3D;
  /** Logits of the predicates, `[groups, pairs, relation labels]`. */
  readonly relationLogits: tf.Tensor3D;
  /** Boxes of the subjects: cx, cy, w and h in [0, 1] of the image, `[groups, pairs, 4]`. */
  readonly subjectBoxes: tf.Tensor3D;
  /** Boxes of the objects, in the same format. */
  readonly objectBoxes: tf.Tensor3D;
}

/** Options of a forward pass. */
export interface ForwardOptions {
  /** Dropout of training mode; omitted for evaluation. */
  readonly drop?: Dropout;
  /** Receives intermediate values. */
  readonly onStage?: OnStage;
}

/**
 * RLIPv2: predicts pairs of subjects and objects and their relations from an image and a set of labels.
 *
 * The parameters have the names and shapes of the official state dict. The caller must dispose the returned tensors, for
 * example with `tf.tidy`.
 *
 * Source: Yuan et al., "RLIPv2: Fast Scaling of Relational Language-Image Pre-training", 2023.
 *
 * @example
 * ```ts
 * import { loadWeights, openWeights, RlipV2, rTaggerR50, useBackend } from 'relflow/model';
 *
 * await useBackend('wasm');
 * const model = new RlipV2(rTaggerR50);
 * const weights = await openWeights('tagger.safetensors');
 * await loadWeights(model.parameters, weights);
 * await weights.close();
 * ```
 */
export class RlipV2 {
  /** Configuration that the model was built from. */
  readonly config: ModelConfig;
  /** Parameters by official name, in order of declaration. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly #backbone: ResNet | Swin | Convolutions;
  readonly #levels: FeatureLevels;
  readonly #levelEmbedding: Parameter;
  readonly #textEncoder: Roberta | HashedTextEncoder;
  readonly #encoder: AlifEncoder;
  readonly #resizer: { readonly linear: Linear; readonly norm: LayerNorm };
  readonly #queries: QuerySource;
  readonly #pairs: SubjectObjectDecoder;
  readonly #relations: RelationDecoder;
  readonly #relationPosition: Parameter | null;
  readonly #fusion: MultiBranchFusion | null;
  readonly #heads: SimilarityHeads;
  /** Sizes of the levels by the canvas of a batch. */
  readonly #levelSizes = new Map<string, readonly LevelSize[]>();
  readonly #late: { readonly objects: LateFusion; readonly relations: LateFusion } | null;

  /** @throws OptionError if the configuration is inconsistent */
  constructor(config: ModelConfig) {
    checkConfig(config);
    this.config = config;
    const outer = new Scope();
    const transformer = outer.at('transformer');
    const { backbone, width, levels, queries, verbQuery, text, pairs, branches } = config;
    this.#backbone = backboneOf(outer.at('backbone', 0), backbone);
    this.#levels = new FeatureLevels(outer.at('input_proj'), this.#backbone.channels, width, levels);
    this.#levelEmbedding = transformer.parameter('level_embed', [levels, width], normal(1));
    this.#encoder = new AlifEncoder(transformer.at(queries === 'parseda' ? 'encoder' : 'ho_encoder'), config);
    const boxes = new BoxHeads(outer, config);
    this.#pairs = new SubjectObjectDecoder(transformer.at('ho_decoder'), config, boxes);
    this.#relations = new RelationDecoder(transformer.at('verb_decoder'), config, boxes);
    this.#textEncoder =
      text.layers > 0 ? new Roberta(transformer.at('text_encoder'), text) : new HashedTextEncoder(text.width);
    this.#resizer = {
      linear: new Linear(transformer.at('resizer', 'fc'), text.width, width, defaultLinear(text.width)),
      norm: new LayerNorm(transformer.at('resizer', 'layer_norm'), width, 1e-12),
    };
    this.#queries = querySource(outer, transformer, config);
    const fused = verbQuery !== 'vanilla';
    this.#fusion = fused ? new MultiBranchFusion(transformer.at('verb_tgt_generator'), width, branches) : null;
    this.#relationPosition =
      fused && queries === 'parsed'
        ? transformer.parameter('verb_query_embed.weight', [pairs, width], normal(1))
        : null;
    this.#heads = new SimilarityHeads(outer, width);
    this.#late = config.lateFusion
      ? {
          objects: new LateFusion(transformer.at('obj_fusion'), config),
          relations: new LateFusion(transformer.at('verb_fusion'), config),
        }
      : null;
    this.parameters = outer.parameters;
  }

  /**
   * Encodes texts to label vectors. The vector of a text does not depend on the other texts, so that it can be cached.
   * @returns `[texts, text width]`
   */
  encodeTexts(texts: TokenizedTexts, { drop = noDropout }: ForwardOptions = {}): tf.Tensor2D {
    return this.#textEncoder.apply(texts, drop);
  }

  /**
   * Runs the backbone and the encoder. Image tokens and label vectors attend to each other, so that the result depends on
   * the set of labels.
   */
  encode(images: ImageBatch, labels: LabelSet, { drop = noDropout, onStage }: ForwardOptions = {}): Encoded {
    const [batch, height, width] = images.pixels.shape;
    const maps = this.#levels.apply(this.#backbone.apply(images.pixels, drop));
    for (const [k, map] of maps.entries()) onStage?.(`input_proj${k}`, map);
    const levels: Level[] = maps.map(({ shape }) =>
      geometryLevel({ height: shape[1], width: shape[2] }, { height, width }, images.sizes),
    );
    this.#levelSizes.set(
      canvasKey({ height, width }),
      maps.map(({ shape }) => ({ height: shape[1], width: shape[2] })),
    );
    const channels = this.config.width;
    const geometry = geometryOf(levels, channels, this.#backbone.positionShift);
    const tokens = tf.concat(
      maps.map((map) => tf.reshape(map, [batch, -1, channels]) as tf.Tensor3D),
      1,
    ); // [batch, tokens, width]
    const encoded = this.#encoder.apply(
      tokens,
      perImage(labels.vectors, batch),
      tf.add(geometry.positions, this.#levelEmbeddings(levels)),
      geometry,
      labels.paddingMask ?? null,
      drop,
      onStage,
    );
    const labelStates = encoded.language.map((state) => this.#resize(state, drop));
    const { validRatios, validMask } = geometry;
    return {
      memory: encoded.memory,
      geometry: { levels, batch, validRatios, validMask },
      labels: labelStates,
      objectCount: labels.objectCount,
      paddingMask: labels.paddingMask ?? null,
    };
  }

  /**
   * Runs both decoders and the heads.
   * @param given candidate pairs, required by taggers: any number of groups per image, all in one pass
   * @returns predictions of each decoder layer; the last one is the result, the others have auxiliary losses while training
   * @throws Error if a tagger has no given pairs
   */
  decode(encoded: Encoded, given?: GivenPairs, { drop = noDropout }: ForwardOptions = {}): LayerOutput[] {
    const { memory: tokens, geometry, labels, objectCount } = encoded;
    const last = labels[labels.length - 1]!;
    const memory = { tokens, geometry };
    const objectLabels = detach(tf.slice(last, [0, 0, 0], [-1, objectCount, -1]));
    const start = this.#queries.start(geometry.batch, objectLabels, given);
    const pairs = this.#pairs.apply(start.first, memory, drop);
    const pairStates = tf.split(pairs.states[pairs.states.length - 1]!, 2, 1) as [tf.Tensor3D, tf.Tensor3D]; // [groups, pairs, width] each
    const relations = this.#relations.apply(
      {
        ...this.#relationStart(pairStates, start.relationContent),
        referencePoints: detachReferences(pairs.boxes[pairs.boxes.length - 1]!),
        mask: start.relationMask,
      },
      memory,
      drop,
    );
    if (this.#late) return this.#lateOutputs(encoded, pairs, relations, drop);
    return pairs.states.map((state, k) =>
      this.#layerOutput(state, relations.states[k]!, pairs.boxes[k]!, labels[k]!, objectCount),
    );
  }

  /** Combines the states of late fusion layer k with the boxes of decoder layer k. */
  #lateOutputs(
    { labels, objectCount, paddingMask }: Encoded,
    pairs: DecodedPairs,
    relations: DecodedPairs,
    drop: Dropout,
  ): LayerOutput[] {
    const text = labels[labels.length - 1]!;
    const part = (fusion: LateFusion, states: readonly tf.Tensor3D[], start: number, size: number) =>
      fusion.apply(
        states[states.length - 1]!,
        tf.slice(text, [0, start, 0], [-1, size, -1]),
        paddingMask && tf.slice(paddingMask, [0, start], [-1, size]),
        drop,
      );
    const pairLayers = part(this.#late!.objects, pairs.states, 0, objectCount);
    const relationLayers = part(this.#late!.relations, relations.states, objectCount, text.shape[1] - objectCount);
    return pairLayers.map(({ queries, labels: objectLabels }, k) => {
      const { queries: relation, labels: relationLabels } = relationLayers[k]!;
      return this.#layerOutput(
        queries,
        relation,
        pairs.boxes[k]!,
        tf.concat([objectLabels, relationLabels], 1),
        objectCount,
      );
    });
  }

  /**
   * Makes the tensors that depend on the data of a pass, and no others; for recorded passes, see `dataTensor`.
   * @param canvas size of the batch's images with padding, in pixels
   * @returns false if there was no pass with this canvas yet, so that the sizes of its levels are not known
   */
  collectData(
    canvas: LevelSize,
    sizes: readonly LevelSize[],
    texts: TokenizedTexts | null,
    objectCount: number,
    given: GivenPairs | undefined,
  ): boolean {
    const levels = this.levels(canvas, sizes);
    if (!levels) return false;
    geometryOf(levels, this.config.width, this.#backbone.positionShift);
    if (texts && this.#textEncoder instanceof Roberta) this.#textEncoder.inputs(texts);
    else if (texts) this.#textEncoder.apply(texts, noDropout);
    this.collectQueries(sizes.length, objectCount, given);
    return true;
  }

  /** Makes the tensors of the decoders that depend on the given pairs; for recorded passes, see `dataTensor`. */
  collectQueries(images: number, objectCount: number, given: GivenPairs | undefined): void {
    this.#queries.start(images, tf.zeros([images, objectCount, this.config.width]), given);
  }

  /**
   * Returns the levels of images on a canvas, in cells; undefined if no image on this canvas has been encoded yet.
   * @param canvas size of the batch's images with padding, in pixels
   */
  levels(canvas: LevelSize, sizes: readonly LevelSize[]): readonly Level[] | undefined {
    return this.#levelSizes.get(canvasKey(canvas))?.map((size) => geometryLevel(size, canvas, sizes));
  }

  /** Frees all parameters. */
  dispose(): void {
    for (const parameter of this.parameters.values()) parameter.dispose();
  }

  #layerOutput(
    state: tf.Tensor3D,
    relation: tf.Tensor3D,
    boxes: PairReferences,
    text: tf.Tensor3D,
    objectCount: number,
  ): LayerOutput {
    const projected = this.#heads.project(text);
    const objectLabels = tf.slice(projected, [0, 0, 0], [-1, objectCount, -1]);
    const relationLabels = tf.slice(projected, [0, objectCount, 0], [-1, -1, -1]);
    const [subject, object] = tf.split(state, 2, 1) as [tf.Tensor3D, tf.Tensor3D];
    return {
      subjectLogits: this.#heads.objects(subject, objectLabels),
      objectLogits: this.#heads.objects(object, objectLabels),
      relationLogits: this.#heads.relations(relation, relationLabels),
      subjectBoxes: boxes.subject,
      objectBoxes: boxes.object,
    };
  }

  #relationStart([subject, object]: readonly [tf.Tensor3D, tf.Tensor3D], learned: tf.Tensor3D) {
    const { queries, verbQuery } = this.config;
    const zero = tf.zerosLike(subject);
    const fused = this.#fusion?.apply(subject, object);
    const content = fused ? (verbQuery === 'mbf' ? fused : tf.add(fused, learned)) : tf.add(learned, zero);
    if (queries === 'parseda') return { content: content as tf.Tensor3D, position: null };
    const position = this.#relationPosition
      ? tf.add(tf.expandDims(this.#relationPosition.variable, 0), zero)
      : tf.add(subject, object);
    return { content: content as tf.Tensor3D, position: position as tf.Tensor3D };
  }

  /** Level embedding of each token, `[1, tokens, width]`. */
  #levelEmbeddings(levels: readonly Level[]): tf.Tensor3D {
    const width = this.config.width;
    const rows = levels.map(({ height, width: columns }, k) =>
      tf.tile(tf.slice(this.#levelEmbedding.variable, [k, 0], [1, width]), [height * columns, 1]),
    );
    return tf.expandDims(tf.concat(rows, 0), 0);
  }

  /** Projects label vectors to the width of the model: `[batch, labels, text width]` → `[batch, labels, width]`. */
  #resize(state: tf.Tensor3D, drop: Dropout): tf.Tensor3D {
    return drop(this.#resizer.norm.apply(this.#resizer.linear.apply(state)), RESIZER_DROPOUT) as tf.Tensor3D;
  }
}

const canvasKey = ({ height, width }: LevelSize): string => `${height} ${width}`;

function backboneOf(scope: Scope, shape: BackboneShape): ResNet | Swin | Convolutions {
  switch (shape.kind) {
    case 'resnet':
      return new ResNet(scope, shape);
    case 'swin':
      return new Swin(scope, shape);
    case 'convolutions':
      return new Convolutions(scope, shape);
  }
}

/** Returns label vectors for each image, `[batch, labels, text width]`. */
function perImage(vectors: tf.Tensor2D | tf.Tensor3D, batch: number): tf.Tensor3D {
  return vectors.rank === 3
    ? (vectors as tf.Tensor3D)
    : tf.tile(tf.expandDims(vectors, 0) as tf.Tensor3D, [batch, 1, 1]);
}

const detachReferences = ({ subject, object }: PairReferences): PairReferences => ({
  subject: detach(subject),
  object: detach(object),
});
