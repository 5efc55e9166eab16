import * as tf from '@tensorflow/tfjs-core';
import { type Dropout, noDropout } from '../layers/dropout.js';
import { Linear, type LinearOptions } from '../layers/linear.js';
import { LayerNorm } from '../layers/norms.js';
import { normal, type Parameter, type Scope, zeros } from '../parameter-scope.js';
import { ROBERTA_DROPOUT, RobertaLayer, robertaMask } from './roberta-layer.js';
import type { RobertaShape } from './roberta-shape.js';

/** Token ids of some texts, all rows of one length. */
export interface TokenizedTexts {
  /** `[texts, tokens]`, row by row; 1 where a shorter text ends. */
  readonly ids: Int32Array;
  readonly texts: number;
  readonly tokens: number;
}

/** RoBERTa's id of padding; positions are counted from the one behind it. */
export const PADDING_ID = 1;

/** The text encoder: a text's vector is the pooler's view of its first token. */
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

  /** @returns `[texts, width]` */
  apply({ ids, texts, tokens }: TokenizedTexts, drop: Dropout = noDropout): tf.Tensor2D {
    const visible = Float32Array.from(ids, (id) => (id === PADDING_ID ? 0 : 1));
    const embedded = tf.add(
      tf.add(
        tf.gather(this.#words.variable, tf.tensor1d(ids, 'int32')),
        tf.gather(this.#positions.variable, tf.tensor1d(positionIds(ids, tokens), 'int32')),
      ),
      tf.reshape(this.#types.variable, [this.shape.width]),
    );
    let x = drop(
      this.#norm.apply(tf.reshape(embedded, [texts, tokens, this.shape.width])),
      ROBERTA_DROPOUT,
    ) as tf.Tensor3D;
    const mask = visible.includes(0) ? robertaMask(tf.tensor2d(visible, [texts, tokens])) : null;
    for (const layer of this.#layers) x = layer.apply(x, mask, drop);
    const first = tf.reshape(tf.slice(x, [0, 0, 0], [texts, 1, this.shape.width]), [texts, this.shape.width]);
    return tf.tanh(this.#pooler.apply(first)) as tf.Tensor2D;
  }
}

/** Padding sits at the padding's own position; tokens are counted from the one behind it. */
function positionIds(ids: Int32Array, tokens: number): Int32Array {
  let seen = 0;
  return ids.map((id, at) => {
    if (at % tokens === 0) seen = 0;
    return id === PADDING_ID ? PADDING_ID : PADDING_ID + ++seen;
  });
}
