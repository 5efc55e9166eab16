import type { ParserModel } from './parser-model.js';
import { readRow } from './quantized-rows.js';
import { wordForm } from './word-inputs.js';

/** The network's input vectors: a word's row in the model plus the vectors of its affixes and shape. */
export class ModelWords {
  readonly #model: ParserModel;
  /** Word → row of the model's vectors. */
  readonly #rowOf: ReadonlyMap<string, number>;

  constructor(model: ParserModel) {
    this.#model = model;
    this.#rowOf = new Map(model.words.words.map((word, row) => [word, row]));
  }

  /** Writes a word's vector; unknown words have row 0. @param to `[input]` */
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
