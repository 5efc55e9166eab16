import * as tf from '@tensorflow/tfjs-core';
import { joinHeads, MASKED_LOGIT, splitHeads } from '../ops/attention.js';
import type { Parameter, Scope } from '../parameter-scope.js';
import type { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { LayerNorm } from './norms.js';

/**
 * Gate that scales the update from the other modality: `glip` has one factor per channel, `vxac` one factor for all
 * channels, `tanh` the hyperbolic tangent of one factor per channel.
 */
export type Gate = 'glip' | 'vxac' | 'tanh';

/** Sizes of a fusion layer. */
export interface FusionShape {
  /** Channels of image tokens. */
  readonly vision: number;
  /** Channels of label vectors. */
  readonly language: number;
  /** Channels of the attention, over all heads. */
  readonly width: number;
  readonly heads: number;
  readonly gate: Gate;
}

/** Features of both modalities. */
export interface ModalityFeatures {
  /** `[batch, tokens, vision width]` */
  readonly vision: tf.Tensor3D;
  /** `[batch, labels, language width]` */
  readonly language: tf.Tensor3D;
}

/** Dropout of the attention weights in both directions while the model trains, independent of the rest of the model. */
const FUSION_DROPOUT = 0.1;

/**
 * Bidirectional cross-attention between image tokens and label vectors, computed from one matrix of scores. The residual
 * is the normalized input.
 * Source: RLIPv2, section 3.2 (ALIF); GLIP, `BiAttentionBlockForCheckpoint`.
 */
export class Fusion {
  readonly #shape: FusionShape;
  readonly #visionGate: Parameter;
  readonly #languageGate: Parameter;
  readonly #visionNorm: LayerNorm;
  readonly #languageNorm: LayerNorm;
  readonly #query: Linear;
  readonly #key: Linear;
  readonly #visionValue: Linear;
  readonly #languageValue: Linear;
  readonly #visionOutput: Linear;
  readonly #languageOutput: Linear;

  /** @param gateStart initial value of every element of both gates */
  constructor(scope: Scope, shape: FusionShape, gateStart: number) {
    this.#shape = shape;
    const { vision, language, width } = shape;
    const start = { kind: 'constant', value: gateStart } as const;
    this.#visionGate = scope.parameter('gamma_v', [vision], start);
    this.#languageGate = scope.parameter('gamma_l', [language], start);
    this.#visionNorm = new LayerNorm(scope.at('layer_norm_v'), vision);
    this.#languageNorm = new LayerNorm(scope.at('layer_norm_l'), language);
    const attention = scope.at('attn');
    this.#query = new Linear(attention.at('v_proj'), vision, width);
    this.#key = new Linear(attention.at('l_proj'), language, width);
    this.#visionValue = new Linear(attention.at('values_v_proj'), vision, width);
    this.#languageValue = new Linear(attention.at('values_l_proj'), language, width);
    this.#visionOutput = new Linear(attention.at('out_v_proj'), width, vision);
    this.#languageOutput = new Linear(attention.at('out_l_proj'), width, language);
  }

  /**
   * @param vision image tokens, `[batch, tokens, vision width]`
   * @param language label vectors, `[batch, labels, language width]`
   * @param position of the tokens, `[batch, tokens, vision width]`
   * @param paddingMask of tokens `[batch, tokens]` and of labels `[batch, labels]`, 1 for padding; null when nothing is
   *   padding
   * @returns the shapes of vision and language
   */
  apply(
    { vision, language }: ModalityFeatures,
    position: tf.Tensor3D,
    paddingMask: { readonly vision: tf.Tensor2D | null; readonly language: tf.Tensor2D | null },
    drop: Dropout,
  ): ModalityFeatures {
    const { width, heads } = this.#shape;
    return tf.tidy(() => {
      const image = this.#visionNorm.apply(vision) as tf.Tensor3D;
      const text = this.#languageNorm.apply(language) as tf.Tensor3D;
      const query = tf.mul(this.#query.apply(tf.add(image, position)), (width / heads) ** -0.5);
      const key = this.#key.apply(text);
      const scores = tf.matMul(splitHeads(query, heads), splitHeads(key, heads), false, true); // [batch, heads, tokens, labels]
      const maskTexts = (x: tf.Tensor) => (paddingMask.language ? tf.add(x, scoreMask(paddingMask.language)) : x);
      const maskTokens = (x: tf.Tensor) => (paddingMask.vision ? tf.add(x, scoreMask(paddingMask.vision)) : x);
      const textWeights = drop(tf.softmax(maskTexts(scores)), FUSION_DROPOUT);
      const tokenWeights = drop(tf.softmax(maskTokens(tf.transpose(scores, [0, 1, 3, 2]))), FUSION_DROPOUT);
      const attend = (weights: tf.Tensor, value: tf.Tensor) =>
        joinHeads(tf.matMul(weights, splitHeads(value, heads)) as tf.Tensor4D);
      const visionChange = this.#visionOutput.apply(attend(textWeights, this.#languageValue.apply(text)));
      const languageChange = this.#languageOutput.apply(attend(tokenWeights, this.#visionValue.apply(image)));
      return {
        vision: tf.add(image, tf.mul(this.#gate(this.#visionGate), visionChange)),
        language: tf.add(text, tf.mul(this.#gate(this.#languageGate), languageChange)),
      };
    }) as ModalityFeatures & tf.TensorContainerObject;
  }

  #gate({ variable }: Parameter): tf.Tensor {
    switch (this.#shape.gate) {
      case 'glip':
        return variable;
      case 'vxac':
        return tf.slice(variable, [0], [1]);
      case 'tanh':
        return tf.tanh(variable);
    }
  }
}

/** Turns a padding mask `[batch, keys]` into an additive mask of the scores, `[batch, 1, 1, keys]`. */
function scoreMask(paddingMask: tf.Tensor2D): tf.Tensor4D {
  const [batch, keys] = paddingMask.shape;
  return tf.reshape(tf.mul(paddingMask, MASKED_LOGIT), [batch, 1, 1, keys]);
}
