import type { ParserModel } from './parser-model.js';
import { readRow } from './quantized-rows.js';
import { wordForm } from './word-inputs.js';

/** What the network is told of words: a model's rows, with what their form adds. */
export class ModelWords {
  readonly #model: ParserModel;
  /** Word → its row among the model's vectors. */
  readonly #rowOf: ReadonlyMap<string, number>;

  constructor(model: ParserModel) {
    this.#model = model;
    this.#rowOf = new Map(model.words.words.map((word, row) => [word, row]));
  }

  /** @param to `[input]`: set to the word's vector */
  read(word: string, to: Float32Array): void {
    const { parameters, words } = this.#model;
    readRow(words.rows, this.#rowOf.get(word) ?? 0, to);
    const { affixes, shape } = wordForm(word);
    for (const row of affixes) addRow(to, parameters.affixes, row);
    addRow(to, parameters.shapes, shape);
  }
}

function addRow(to: Float32Array, table: Float32Array, row: number): void {
  const start = row * to.length;
  for (let k = 0; k < to.length; k++) to[k]! += table[start + k]!;
}
