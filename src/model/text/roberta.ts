import * as tf from '@tensorflow/tfjs-core';
import { type Dropout, noDropout } from '../layers/dropout.js';
import { Linear, type LinearOptions } from '../layers/linear.js';
import { LayerNorm } from '../layers/norms.js';
import { normal, type Parameter, type Scope, zeros } from '../parameter-scope.js';
import { dataTensor, isRecording } from '../recording/data-tensor.js';
import { ROBERTA_DROPOUT, RobertaLayer, robertaMask } from './roberta-layer.js';
import type { RobertaShape } from './roberta-shape.js';

/** Token ids of texts, padded to the same length. */
export interface TokenizedTexts {
  /** Token ids, `[texts, tokens]` in row-major order; 1 is padding. */
  readonly ids: Int32Array;
  /** Number of texts. */
  readonly texts: number;
  /** Number of tokens per text, with padding. */
  readonly tokens: number;
}

/** Token id of padding in RoBERTa. Position ids of other tokens start at the next number. */
export const PADDING_ID = 1;

/**
 * RoBERTa text encoder. The vector of a text is the output of the pooler for its first token.
 * Source: Liu et al., "RoBERTa", 2019; Hugging Face transformers, `RobertaModel`.
 */
export class Roberta {
  readonly shape: RobertaShape;
  readonly #words: Parameter;
  readonly #positions: Parameter;
  readonly #types: Parameter;
  readonly #norm: LayerNorm;
  readonly #layers: readonly RobertaLayer[];
  readonly #pooler: Linear;

  constructor(scope: Scope, shape: RobertaShape) {
    this.shape = shape;
    const { width, vocabulary, positions, layers } = shape;
    const start = normal(0.02);
    const options: LinearOptions = { weight: start, bias: zeros };
    const embeddings = scope.at('embeddings');
    this.#words = embeddings.parameter('word_embeddings.weight', [vocabulary, width], start);
    this.#positions = embeddings.parameter('position_embeddings.weight', [positions, width], start);
    this.#types = embeddings.parameter('token_type_embeddings.weight', [1, width], start);
    this.#norm = new LayerNorm(embeddings.at('LayerNorm'), width);
    this.#layers = Array.from(
      { length: layers },
      (_, k) => new RobertaLayer(scope.at('encoder', 'layer', k), shape, options),
    );
    this.#pooler = new Linear(scope.at('pooler', 'dense'), width, width, options);
  }

  /** Makes the tensors that depend on the texts: ids and positions `[texts · tokens]`, and 1 for tokens, 0 for padding. */
  inputs({ ids, texts, tokens }: TokenizedTexts) {
    const validMask = Float32Array.from(ids, (id) => (id === PADDING_ID ? 0 : 1));
    return {
      ids: dataTensor<tf.Tensor1D>('texts.ids', ids, [ids.length]),
      positions: dataTensor<tf.Tensor1D>('texts.positions', positionIds(ids, tokens), [ids.length]),
      validMask:
        isRecording() || validMask.includes(0)
          ? dataTensor<tf.Tensor2D>('texts.valid', validMask, [texts, tokens])
          : null,
    };
  }

  /** @returns vectors of the texts, `[texts, width]` */
  apply({ ids, texts, tokens }: TokenizedTexts, drop: Dropout = noDropout): tf.Tensor2D {
    const inputs = this.inputs({ ids, texts, tokens });
    const embedded = tf.add(
      tf.add(tf.gather(this.#words.variable, inputs.ids), tf.gather(this.#positions.variable, inputs.positions)),
      tf.reshape(this.#types.variable, [this.shape.width]),
    ); // [texts · tokens, width]
    let x = drop(
      this.#norm.apply(tf.reshape(embedded, [texts, tokens, this.shape.width])),
      ROBERTA_DROPOUT,
    ) as tf.Tensor3D;
    const mask = inputs.validMask && robertaMask(inputs.validMask);
    // The pooler reads the first token only.
    const last = this.#layers.length - 1;
    for (const [k, layer] of this.#layers.entries()) x = layer.apply(x, mask, drop, k === last ? 1 : tokens);
    const first = tf.reshape(x, [texts, this.shape.width]);
    return tf.tanh(this.#pooler.apply(first)) as tf.Tensor2D;
  }
}

/** Position ids: padding has the padding id; other tokens are counted from the next number. Source: transformers, `create_position_ids_from_input_ids`. */
function positionIds(ids: Int32Array, tokens: number): Int32Array {
  let seen = 0;
  return ids.map((id, at) => {
    if (at % tokens === 0) seen = 0;
    return id === PADDING_ID ? PADDING_ID : PADDING_ID + ++seen;
  });
}
