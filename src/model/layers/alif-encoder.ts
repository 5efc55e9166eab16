import * as tf from '@tensorflow/tfjs-core';
import type { Geometry } from '../geometry.js';
import type { ModelConfig } from '../model-config.js';
import type { Scope } from '../parameter-scope.js';
import { RobertaLayer, robertaMask } from '../text/roberta-layer.js';
import { DeformableAttention, type LevelTokens } from './deformable-attention-layer.js';
import type { Dropout } from './dropout.js';
import { Fusion, type ModalityFeatures } from './fusion.js';
import { Linear } from './linear.js';
import { LayerNorm } from './norms.js';

/**
 * Encoder layer over image tokens: deformable self-attention, then a feed-forward network, with a layer norm after each.
 * Source: Deformable DETR, `DeformableTransformerEncoderLayer`.
 */
class EncoderLayer {
  readonly #attention: DeformableAttention;
  readonly #attentionNorm: LayerNorm;
  readonly #hidden: Linear;
  readonly #output: Linear;
  readonly #outputNorm: LayerNorm;
  readonly #dropout: number;

  constructor(scope: Scope, config: ModelConfig) {
    const { width, hidden, dropout } = config;
    this.#attention = new DeformableAttention(scope.at('self_attn'), config);
    this.#attentionNorm = new LayerNorm(scope.at('norm1'), width);
    this.#hidden = new Linear(scope.at('linear1'), width, hidden);
    this.#output = new Linear(scope.at('linear2'), hidden, width);
    this.#outputNorm = new LayerNorm(scope.at('norm2'), width);
    this.#dropout = dropout;
  }

  /**
   * @param x tokens, `[batch, tokens, width]`
   * @param positions positional encoding, the shape of x
   * @param referencePoints `[batch, tokens, levels, 2]`, x and y in [0, 1]
   * @returns the shape of x
   */
  apply(
    x: tf.Tensor3D,
    positions: tf.Tensor3D,
    referencePoints: tf.Tensor4D,
    layout: LevelLayout,
    drop: Dropout,
  ): tf.Tensor3D {
    return tf.tidy(() => {
      const attention = this.#attention.apply(tf.add(x, positions), referencePoints, { ...layout, tokens: x });
      const attended = this.#attentionNorm.apply(tf.add(x, drop(attention, this.#dropout)));
      const output = this.#output.apply(drop(this.#hidden.apply(attended, 'relu'), this.#dropout));
      return this.#outputNorm.apply(tf.add(attended, drop(output, this.#dropout))) as tf.Tensor3D;
    });
  }
}

type LevelLayout = Omit<LevelTokens, 'tokens'>;

/** Output of the encoder: image tokens and label vectors that have attended to each other. */
export interface EncodedTokens {
  /** `[batch, tokens, width]` */
  readonly memory: tf.Tensor3D;
  /** Label vectors for each decoder layer, `[batch, labels, text width]` each. */
  readonly language: readonly tf.Tensor3D[];
}

/** Callback that receives intermediate values of the forward pass with their names, for tests and inspection. */
export type OnStage = (name: string, value: tf.Tensor) => void;

/**
 * Asymmetric language-image fusion (ALIF): before every `interval`-th image layer, image tokens and label vectors are
 * fused, and the label vectors pass through one RoBERTa layer.
 * Source: RLIPv2, section 3.2 and figure 3.
 */
export class AlifEncoder {
  readonly #config: ModelConfig;
  readonly #layers: readonly EncoderLayer[];
  readonly #languageLayers: readonly RobertaLayer[];
  readonly #fusions: readonly Fusion[];

  constructor(scope: Scope, config: ModelConfig) {
    this.#config = config;
    const { encoderLayers, fusion, width, text, levels } = config;
    const count = config.lateFusion ? 0 : Math.ceil(encoderLayers / fusion.interval);
    this.#layers = Array.from({ length: encoderLayers }, (_, k) => new EncoderLayer(scope.at('layers', k), config));
    // These layers start from random weights, not from RoBERTa's.
    this.#languageLayers = Array.from(
      { length: count },
      (_, k) => new RobertaLayer(scope.at('roberta_layers', k), text),
    );
    const shape = { ...fusion, vision: width, language: text.width };
    this.#fusions = Array.from(
      { length: count },
      (_, k) => new Fusion(scope.at('VLFuse_layers', k, 'b_attn'), shape, 1 / levels),
    );
  }

  /**
   * @param tokens `[batch, tokens, width]`
   * @param language label vectors, `[batch, labels, text width]`
   * @param positions sine positions plus level embeddings, `[batch, tokens, width]`
   * @param labelPaddingMask `[batch, labels]`, 1 for padding; null when no label is padding
   * @returns tokens `[batch, tokens, width]`, and label vectors `[batch, labels, text width]` for each decoder layer
   */
  apply(
    tokens: tf.Tensor3D,
    language: tf.Tensor3D,
    positions: tf.Tensor3D,
    geometry: Geometry,
    labelPaddingMask: tf.Tensor2D | null,
    drop: Dropout,
    onStage?: OnStage,
  ): EncodedTokens {
    const { fusion, compat } = this.#config;
    const { levels, validMask, referencePoints } = geometry;
    const last = levels[levels.length - 1]!;
    const firstFused = fusion.lastLevelOnly ? geometry.tokens - last.height * last.width : 0;
    const fusedPart = <T extends tf.Tensor3D>(x: T) => tf.slice(x, [0, firstFused, 0], [-1, -1, -1]); // [batch, fused tokens, channels]
    const ignoreMasks = compat.fusionIgnoresMasks;
    const tokenPaddingMask = validMask && !ignoreMasks ? tf.squeeze(tf.sub(1, fusedPart(validMask)), [2]) : null;
    const paddingMask = {
      vision: tokenPaddingMask as tf.Tensor2D | null,
      language: ignoreMasks ? null : labelPaddingMask,
    };
    const labelMask = labelPaddingMask ? robertaMask(tf.sub(1, labelPaddingMask)) : null;
    const fusedPositions = fusedPart(positions);
    const states: tf.Tensor3D[] = [];
    let [memory, text] = [tokens, language];
    for (const [k, layer] of this.#layers.entries()) {
      const fusionIndex = k / fusion.interval;
      const fusionLayer = this.#fusions[fusionIndex];
      if (fusionLayer) {
        const features: ModalityFeatures = fusionLayer.apply(
          { vision: fusedPart(memory), language: text },
          fusedPositions,
          paddingMask,
          drop,
        );
        onStage?.(`fusion${fusionIndex}.vision`, features.vision);
        memory =
          firstFused > 0
            ? tf.concat([tf.slice(memory, [0, 0, 0], [-1, firstFused, -1]), features.vision], 1)
            : features.vision; // [batch, tokens, width]
        text = this.#languageLayers[fusionIndex]!.apply(features.language, labelMask, drop);
        states.push(text);
      }
      memory = layer.apply(memory, positions, referencePoints, { levels, validMask }, drop);
      onStage?.(`encoder_layer${k}`, memory);
    }
    return { memory, language: this.#perDecoderLayer(states.length > 0 ? states : [language]) };
  }

  /** One state per decoder layer if the fusions divide evenly among the layers, else the last state for all of them. */
  #perDecoderLayer(states: readonly tf.Tensor3D[]): readonly tf.Tensor3D[] {
    const { decoderLayers, fusion } = this.#config;
    const last = states[states.length - 1]!;
    const step = states.length / decoderLayers;
    if (!fusion.auxiliaryStates || !Number.isInteger(step)) return Array.from({ length: decoderLayers }, () => last);
    return states.filter((_, k) => (k + 1) % step === 0);
  }
}
