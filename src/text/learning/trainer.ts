import { Activations, type Slot, slots } from '../learned/activations.js';
import type { Kernels } from '../learned/kernels/kernels.js';
import { Network, slotScale } from '../learned/network.js';
import { allocateParameters, type NetworkSizes, type ParameterName, type Parameters } from '../learned/parameters.js';
import type { RelationLabels } from '../learned/relation-labels.js';
import { Adam } from './adam.js';
import { Backward } from './backward.js';
import { type Batch, capacity, clear, layOut } from './batch.js';
import { chainLoss, chainMarginals } from './chain-gradient.js';
import { type Example, joinExamples } from './example.js';
import { initialize } from './initialize.js';
import { Masks } from './masks.js';
import { Random } from './random.js';
import type { SoftTargets } from './soft-targets.js';
import { part, softmax, softmaxLoss } from './softmax.js';
import { WordTable } from './word-table.js';

export interface TrainingOptions {
  readonly epochs: number;
  /** Captions a batch. */
  readonly batch: number;
  /** The largest learning rate. */
  readonly rate: number;
  readonly dropout: number;
  /** Share of words that are treated as unknown ones. */
  readonly wordDropout: number;
  /** Share of captions that are joined with another. */
  readonly joined: number;
  readonly seed: number;
}

export const trainingDefaults: TrainingOptions = {
  epochs: 18,
  batch: 64,
  rate: 2e-3,
  dropout: 0.15,
  wordDropout: 0.06,
  joined: 0.2,
  seed: 1,
};

/** Mean losses a caption, in nats. */
export interface Losses {
  readonly tags: number;
  readonly labels: number;
  /** Which words fill the labels. */
  readonly words: number;
  readonly owners: number;
}

/** What a trainer needs of the kernels' memory. */
export const trainingBytes = 300 << 20;

const clipNorm = 5;
const longestJoined = 24;
/** What may stand between two captions that have nothing to do with each other. */
const connectors = [',', '.', 'while', 'as'];

/** A network in training. */
export class Trainer {
  readonly network: Network;
  readonly words: WordTable;
  readonly #labels: RelationLabels;
  readonly #options: TrainingOptions;
  readonly #random: Random;
  readonly #masks: Masks;
  readonly #gradients: Parameters;
  readonly #optimisers: readonly (readonly [Float32Array, Adam])[];
  readonly #backward: Backward;
  readonly #a: Activations;
  readonly #g: Activations;

  constructor(
    kernels: Kernels,
    sizes: NetworkSizes,
    labels: RelationLabels,
    vocabulary: readonly string[],
    vectors: ReadonlyMap<string, Float32Array>,
    options: TrainingOptions,
  ) {
    this.#labels = labels;
    this.#options = options;
    this.#random = new Random(options.seed);
    const parameters = allocateParameters(kernels, sizes);
    initialize(parameters, sizes, this.#random);
    this.network = new Network(kernels, sizes, parameters);
    this.words = new WordTable(kernels, sizes.input, parameters, vocabulary, vectors, capacity.rows, this.#random);
    this.#gradients = allocateParameters(kernels, sizes);
    this.#optimisers = (Object.keys(parameters) as ParameterName[])
      .filter((name) => name !== 'affixes' && name !== 'shapes')
      .map((name) => [this.#gradients[name], new Adam(parameters[name], this.#gradients[name])]);
    this.#backward = new Backward(this.network, this.#gradients);
    this.#a = new Activations(kernels, sizes, capacity);
    this.#g = new Activations(kernels, sizes, capacity);
    const { dropout } = options;
    const layers = ['x', 'windowed', 'state', 'tagHidden', 'related', 'pairIn', 'pairHidden', 'ownerIn'];
    this.#masks = new Masks(this.#random, Object.fromEntries(layers.map((layer) => [layer, dropout])));
  }

  /** @param onEpoch called after each epoch with the mean losses */
  train(examples: readonly Example[], onEpoch: (epoch: number, losses: Losses) => void): void {
    const { epochs, batch: size } = this.#options;
    const total = Math.ceil(examples.length / size) * epochs;
    let step = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = this.#joined(this.#random.shuffle([...examples]));
      const sums = { tags: 0, labels: 0, words: 0, owners: 0 };
      for (let k = 0; k < order.length; k += size) {
        const losses = this.#step(layOut(order.slice(k, k + size)), learningRate(step++ / total) * this.#options.rate);
        for (const name of Object.keys(sums) as (keyof Losses)[]) sums[name] += losses[name] / examples.length;
      }
      onEpoch(epoch, sums);
    }
  }

  /** Some captions together with the one after them, as captions of COCO are longer than those of FACTUAL. */
  #joined(examples: readonly Example[]): Example[] {
    const joined: Example[] = [];
    for (let k = 0; k < examples.length; k++) {
      const [a, b] = [examples[k]!, examples[k + 1]];
      if (!b || this.#random.next() >= this.#options.joined || a.words.length + b.words.length > longestJoined)
        joined.push(a);
      else {
        joined.push(joinExamples(a, b, connectors[Math.floor(this.#random.next() * connectors.length)]!));
        k++;
      }
    }
    return joined;
  }

  /**
   * What the network believes of captions, as a teacher of other networks.
   * @param examples those that it was not trained on
   */
  believe(examples: readonly Example[]): SoftTargets[] {
    const targets: SoftTargets[] = [];
    for (let k = 0; k < examples.length; k += this.#options.batch)
      targets.push(...this.#believeBatch(layOut(examples.slice(k, k + this.#options.batch))));
    return targets;
  }

  #believeBatch(batch: Batch): SoftTargets[] {
    this.#forward(batch);
    const a = this.#a;
    const { transitions, starts } = this.network.parameters;
    const { labels: stride } = this.network.sizes;
    return batch.examples.map((example, n) => {
      const { start, length } = batch.captions[n]!;
      const offset = batch.offsets[n]!;
      const labels = new Float32Array(example.pairs.length * this.#labels.size);
      const verb = new Float32Array(example.pairs.length * example.verbs.length);
      const preposition = new Float32Array(example.pairs.length * example.prepositions.length);
      example.pairs.forEach((_, k) => {
        const pair = offset.pairs + k;
        const scores = a.labelScores.subarray(pair * stride, pair * stride + this.#labels.size);
        softmax(scores, part(labels, k, this.#labels.size)!);
        const fill = (slot: Slot, places: readonly number[], to: Float32Array) =>
          softmax(
            Float32Array.from(places, (t) => this.network.slotScore(a, slot, pair, start + t)),
            part(to, k, places.length)!,
          );
        fill('verb', example.verbs, verb);
        fill('preposition', example.prepositions, preposition);
      });
      const owners = Float32Array.from(
        example.owners,
        (_, k) => 1 / (1 + Math.exp(-a.ownerScores[(offset.owners + k) * 8]!)),
      );
      return {
        ...chainMarginals({ tagScores: a.tagScores, transitions, starts }, start, length),
        labels,
        verb,
        preposition,
        owners,
      };
    });
  }

  /** @param masks dropout; none where the network is only asked */
  #forward(batch: Batch, masks?: Masks): void {
    const { rows, captions, compounds, tags, mentions, pairs, attributes, owners, words } = batch;
    const { sizes } = this.network;
    const a = this.#a;
    this.#hidden = Uint8Array.from(words, () => (masks && this.#random.next() < this.#options.wordDropout ? 1 : 0));
    this.words.embed(words, this.#hidden, a.x);
    masks?.apply(a.x, rows * sizes.input, 'x');
    this.network.sumWindows(a, rows);
    this.network.tag(a, captions, rows, compounds, masks);
    this.network.read(a, captions, rows, tags, masks);
    this.network.relate(a, mentions, pairs, masks);
    for (const slot of slots) this.network.seek(a, slot, 0, pairs.length);
    this.network.own(a, attributes, mentions, owners, masks);
  }

  /** Losses of some captions, summed, and their gradients; parameters stay. @returns gradients that the next call adds to */
  gradientsOf(examples: readonly Example[]): { readonly losses: Losses; readonly gradients: Parameters } {
    return { losses: this.#forwardBackward(layOut(examples)), gradients: this.#gradients };
  }

  #step(batch: Batch, rate: number): Losses {
    const losses = this.#forwardBackward(batch);
    let squares = this.words.backward(batch.words, this.#hidden, this.#g.x);
    for (const [gradient] of this.#optimisers) for (let k = 0; k < gradient.length; k++) squares += gradient[k]! ** 2;
    const mean = 1 / batch.examples.length;
    const norm = Math.sqrt(squares) * mean;
    if (!Number.isFinite(norm)) throw new Error('training diverged: the gradient is not finite');
    const scale = mean * Math.min(1, clipNorm / norm);
    for (const [, optimiser] of this.#optimisers) optimiser.step(rate, scale);
    this.words.step(rate, scale);
    return losses;
  }

  /** Rows of the batch whose words count as unknown. */
  #hidden = new Uint8Array();

  #forwardBackward(batch: Batch): Losses {
    const { rows, captions, examples } = batch;
    const { sizes } = this.network;
    const [a, g, masks] = [this.#a, this.#g, this.#masks];
    this.#forward(batch, masks);
    clear(g, sizes, batch);

    const losses = { tags: 0, labels: 0, words: 0, owners: 0 };
    const p = this.network.parameters;
    const scores = { tagScores: a.tagScores, transitions: p.transitions, starts: p.starts };
    const gradient = {
      tagScores: g.tagScores,
      transitions: this.#gradients.transitions,
      starts: this.#gradients.starts,
    };
    examples.forEach((example, n) => {
      const { start } = captions[n]!;
      const { soft } = example;
      losses.tags += chainLoss(scores, start, example.tags, gradient, soft);
      example.pairs.forEach(({ label, verb, preposition }, k) => {
        const pair = batch.offsets[n]!.pairs + k;
        losses.labels += this.#labelLoss(pair, label, part(soft?.labels, k, this.#labels.size));
        if (verb >= 0)
          losses.words += this.#slotLoss(
            'verb',
            pair,
            start,
            example.verbs,
            verb,
            part(soft?.verb, k, example.verbs.length),
          );
        if (preposition >= 0)
          losses.words += this.#slotLoss(
            'preposition',
            pair,
            start,
            example.prepositions,
            preposition,
            part(soft?.preposition, k, example.prepositions.length),
          );
      });
      example.owners.forEach(({ owns }, k) => {
        const at = (batch.offsets[n]!.owners + k) * 8;
        const score = a.ownerScores[at]!;
        const gold = owns ? 1 : 0;
        g.ownerScores[at] = 1 / (1 + Math.exp(-score)) - (soft ? 0.5 * (gold + soft.owners[k]!) : gold);
        losses.owners += Math.max(score, 0) - (owns ? score : 0) + Math.log1p(Math.exp(-Math.abs(score)));
      });
    });
    this.#backward.run(a, g, batch, masks);
    masks.undo(g.x, rows * sizes.input, 'x');
    return losses;
  }

  /** Cross-entropy of a pair's label. */
  #labelLoss(pair: number, label: number, teacher: Float32Array | undefined): number {
    const { labels: stride } = this.network.sizes;
    const count = this.#labels.size;
    const scores = this.#a.labelScores.subarray(pair * stride, pair * stride + count);
    return softmaxLoss(scores, label, this.#g.labelScores.subarray(pair * stride, pair * stride + count), teacher);
  }

  /** Cross-entropy of the word that fills a label, among all that might. */
  #slotLoss(
    slot: Slot,
    pair: number,
    start: number,
    places: readonly number[],
    gold: number,
    teacher: Float32Array | undefined,
  ): number {
    const { hidden } = this.network.sizes;
    const [a, g] = [this.#a, this.#g];
    const [queries, queryGradients] = [a.queries[slot], g.queries[slot]];
    const scores = Float32Array.from(places, (t) => this.network.slotScore(a, slot, pair, start + t));
    const gradient = new Float32Array(places.length);
    const loss = softmaxLoss(scores, places.indexOf(gold), gradient, teacher);
    places.forEach((t, n) => {
      const d = gradient[n]! * slotScale;
      for (let k = 0; k < hidden; k++) {
        queryGradients[pair * hidden + k]! += d * a.related[(start + t) * hidden + k]!;
        g.related[(start + t) * hidden + k]! += d * queries[pair * hidden + k]!;
      }
    });
    return loss;
  }
}

/** A tenth of the time up, then down to nothing as a cosine falls. @param t in [0, 1] */
const learningRate = (t: number) => (t < 0.1 ? t / 0.1 : 0.5 + 0.5 * Math.cos((Math.PI * (t - 0.1)) / 0.9));
