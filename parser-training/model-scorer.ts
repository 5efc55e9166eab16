import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import { ModelWords } from '../src/parser/neural/model-words.js';
import type { ParserModel } from '../src/parser/neural/parser-model.js';
import { Activations } from './activations.js';
import { type Batch, batchCapacity } from './caption-batch.js';
import type { BatchScorer } from './pseudo-labeler.js';
import { TrainingNetwork } from './training-network.js';

/** Scores batches of captions with a trained model, stage by stage. The parser itself reads one caption at a time. */
export class ModelScorer implements BatchScorer {
  readonly network: TrainingNetwork;
  readonly #a: Activations;
  readonly #words: ModelWords;
  readonly #inputs = new Map<string, Float32Array>();

  /** @param kernels whose memory holds the model */
  constructor(kernels: ParserKernels, model: ParserModel) {
    this.network = new TrainingNetwork(kernels, model.sizes, model.parameters);
    this.#a = new Activations(kernels, model.sizes, batchCapacity);
    this.#words = new ModelWords(model);
  }

  scoreWords({ rows, captions, compounds, words }: Batch): Activations {
    const a = this.#a;
    const { input } = this.network.sizes;
    a.x.fill(0, 0, rows * input);
    words.forEach((word, row) => {
      if (word !== null) a.x.set(this.#inputOf(word), row * input);
    });
    this.network.sumWindows(a, rows, compounds);
    this.network.addContext(a, captions, rows);
    this.network.scoreWords(a, captions, rows);
    return a;
  }

  scorePhrases(batch: Batch): Activations {
    this.network.scorePhrases(this.#a, batch);
    return this.#a;
  }

  #inputOf(word: string): Float32Array {
    let x = this.#inputs.get(word);
    if (x) return x;
    x = new Float32Array(this.network.sizes.input);
    this.#words.read(word, x);
    this.#inputs.set(word, x);
    return x;
  }
}
