import type { Random } from '../src/records/random.js';
import type { Activations } from './activations.js';
import type { Adam } from './adam.js';
import type { BackwardPass } from './backward-pass.js';
import type { Batch } from './caption-batch.js';
import type { DropoutMasks } from './dropout-masks.js';
import type { TokenEncoder } from './token-encoder.js';
import type { TrainingNetwork } from './training-network.js';
import type { WordTable } from './word-table.js';

/** The states of the parser's own first layers, computed from word vectors. */
export class WordEncoder implements TokenEncoder {
  readonly words: WordTable;
  readonly #network: TrainingNetwork;
  readonly #backward: BackwardPass;
  readonly #random: Random;
  readonly #wordDropout: number;
  /** `[rows]`: 1 for rows of the batch whose words count as unknown. */
  #masked = new Uint8Array();
  #squares = 0;

  /** @param wordDropout probability that a word counts as unknown */
  constructor(network: TrainingNetwork, backward: BackwardPass, words: WordTable, random: Random, wordDropout: number) {
    this.#network = network;
    this.#backward = backward;
    this.words = words;
    this.#random = random;
    this.#wordDropout = wordDropout;
  }

  get optimizers(): readonly Adam[] {
    return this.words.optimizers;
  }

  forward({ rows, captions, compounds, words }: Batch, a: Activations, masks?: DropoutMasks): void {
    const { input, hidden } = this.#network.sizes;
    this.#masked = Uint8Array.from(words, () => (masks && this.#random.next() < this.#wordDropout ? 1 : 0));
    this.words.embed(words, this.#masked, a.x);
    masks?.apply(a.x, rows * input, 'x');
    this.#network.sumWindows(a, rows, compounds);
    masks?.apply(a.windowed, rows * hidden, 'windowed');
    this.#network.addContext(a, captions, rows);
  }

  backward(batch: Batch, a: Activations, g: Activations, masks: DropoutMasks): void {
    this.#backward.runContext(a, g, batch, masks);
    masks.applyAgain(g.x, batch.rows * this.#network.sizes.input, 'x');
    this.#squares = this.words.backward(batch.words, this.#masked, g.x);
  }

  squares(): number {
    return this.#squares;
  }

  step(learningRate: number, scale: number): void {
    this.words.step(learningRate, scale);
  }
}
