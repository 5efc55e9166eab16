import * as tf from '@tensorflow/tfjs-core';
import { joinHeads, MASKED_LOGIT, splitHeads } from '../ops/attention.js';
import type { Parameter, Scope } from '../parameter-scope.js';
import type { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { LayerNorm } from './norms.js';

/**
 * How much of what the other modality says is let in: `glip` a factor a channel, `vxac` one factor, `tanh` the
 * hyperbolic tangent of a factor a channel.
 */
export type Gate = 'glip' | 'vxac' | 'tanh';

export interface FusionShape {
  readonly vision: number;
  readonly language: number;
  /** Channels of the attention, over all heads. */
  readonly width: number;
  readonly heads: number;
  readonly gate: Gate;
}

export interface Fused {
  readonly vision: tf.Tensor3D;
  readonly language: tf.Tensor3D;
}

/** Dropout of the attention weights in both directions while the model trains, whatever the rest of the model has. */
const FUSION_DROPOUT = 0.1;

/**
 * Attention between image tokens and label vectors, in both directions at once, from one matrix of scores. What is
 * added to is the normalised input.
 * Source: RLIPv2, section 3.2 (ALIF), after GLIP's bi-directional attention.
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

  /** @param gateStart what every element of both gates starts with */
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
   * @param vision `[batch, tokens, vision width]`
   * @param language `[batch, texts, language width]`
   * @param position of the tokens, `[batch, tokens, vision width]`
   * @param hidden which tokens are padding and which texts are none, 1 each: `[batch, tokens]`, `[batch, texts]`; null
   *   where all is seen
   */
  apply(
    { vision, language }: Fused,
    position: tf.Tensor3D,
    hidden: { readonly vision: tf.Tensor2D | null; readonly language: tf.Tensor2D | null },
    drop: Dropout,
  ): Fused {
    const { width, heads } = this.#shape;
    return tf.tidy(() => {
      const image = this.#visionNorm.apply(vision) as tf.Tensor3D;
      const text = this.#languageNorm.apply(language) as tf.Tensor3D;
      const query = tf.mul(this.#query.apply(tf.add(image, position)), (width / heads) ** -0.5);
      const key = this.#key.apply(text);
      const scores = tf.matMul(splitHeads(query, heads), splitHeads(key, heads), false, true); // [batch, heads, tokens, texts]
      const toText = (x: tf.Tensor) => (hidden.language ? tf.add(x, columns(hidden.language)) : x);
      const toImage = (x: tf.Tensor) => (hidden.vision ? tf.add(x, columns(hidden.vision)) : x);
      const ofTexts = drop(tf.softmax(toText(scores)), FUSION_DROPOUT);
      const ofTokens = drop(tf.softmax(toImage(tf.transpose(scores, [0, 1, 3, 2]))), FUSION_DROPOUT);
      const read = (weights: tf.Tensor, value: tf.Tensor) =>
        joinHeads(tf.matMul(weights, splitHeads(value, heads)) as tf.Tensor4D);
      const visionChange = this.#visionOutput.apply(read(ofTexts, this.#languageValue.apply(text)));
      const languageChange = this.#languageOutput.apply(read(ofTokens, this.#visionValue.apply(image)));
      return {
        vision: tf.add(image, tf.mul(this.#gate(this.#visionGate), visionChange)),
        language: tf.add(text, tf.mul(this.#gate(this.#languageGate), languageChange)),
      };
    }) as Fused & tf.TensorContainerObject;
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

/** `[batch, keys]` → `[batch, 1, 1, keys]`, to be added to scores. */
function columns(hidden: tf.Tensor2D): tf.Tensor4D {
  const [batch, keys] = hidden.shape;
  return tf.reshape(tf.mul(hidden, MASKED_LOGIT), [batch, 1, 1, keys]);
}
