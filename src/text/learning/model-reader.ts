import type { Kernels } from '../learned/kernels/kernels.js';
import type { ParserModel } from '../learned/parser-model.js';
import { readRow } from '../learned/quantized-rows.js';
import { wordForm } from '../learned/word-inputs.js';
import { Activations } from './activations.js';
import { type Batch, capacity } from './batch.js';
import type { BatchReader } from './labeller.js';
import { Network } from './network.js';

/** A model that is asked with a whole batch, stage by stage. The parser itself reads one caption at a time. */
export class ModelReader implements BatchReader {
  readonly network: Network;
  readonly #model: ParserModel;
  readonly #a: Activations;
  readonly #rowOf: ReadonlyMap<string, number>;
  readonly #inputs = new Map<string, Float32Array>();

  /** @param kernels what the model lies in */
  constructor(kernels: Kernels, model: ParserModel) {
    this.#model = model;
    this.network = new Network(kernels, model.sizes, model.parameters);
    this.#a = new Activations(kernels, model.sizes, capacity);
    this.#rowOf = new Map(model.words.words.map((word, row) => [word, row]));
  }

  read({ rows, captions, compounds, words }: Batch): Activations {
    const a = this.#a;
    const { input } = this.#model.sizes;
    a.x.fill(0, 0, rows * input);
    words.forEach((word, row) => {
      if (word !== null) a.x.set(this.#inputOf(word), row * input);
    });
    this.network.sumWindows(a, rows, compounds);
    this.network.tellContext(a, captions, rows);
    this.network.read(a, captions, rows);
    return a;
  }

  relate(batch: Batch): Activations {
    this.network.relateBatch(this.#a, batch);
    return this.#a;
  }

  #inputOf(word: string): Float32Array {
    let x = this.#inputs.get(word);
    if (x) return x;
    const { sizes, parameters, words } = this.#model;
    const { input } = sizes;
    x = new Float32Array(input);
    readRow(words.rows, this.#rowOf.get(word) ?? 0, x);
    const { affixes, shape } = wordForm(word);
    for (const row of affixes) addRow(x, parameters.affixes, row);
    addRow(x, parameters.shapes, shape);
    this.#inputs.set(word, x);
    return x;
  }
}

function addRow(to: Float32Array, table: Float32Array, row: number): void {
  for (let k = 0; k < to.length; k++) to[k]! += table[row * to.length + k]!;
}
