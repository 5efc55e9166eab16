import { allocateParameters } from '../src/parser/neural/allocate-parameters.js';
import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import {
  type NetworkSizes,
  type ParameterName,
  type Parameters,
  slotScale,
} from '../src/parser/neural/network-parameters.js';
import type { RelationLabels } from '../src/parser/neural/relation-labels.js';
import { Random } from '../src/records/random.js';
import { Activations, type Slot } from './activations.js';
import { Adam, type AdamState } from './adam.js';
import { BackwardPass } from './backward-pass.js';
import { type Batch, batchCapacity, clearGradients, createBatch } from './caption-batch.js';
import { crfLoss } from './crf-loss.js';
import { DropoutMasks } from './dropout-masks.js';
import { initializeParameters } from './initialize-parameters.js';
import { TrainingKernels } from './kernels/training-kernels.js';
import { type SoftTarget, softTarget, tagTargets } from './soft-targets.js';
import { softmaxLoss } from './softmax.js';
import type { TokenEncoder } from './token-encoder.js';
import { joinExamples, type TrainingExample } from './training-example.js';
import { TrainingNetwork } from './training-network.js';

export interface TrainingOptions {
  readonly epochs: number;
  /** Captions a batch. */
  readonly batch: number;
  /** The largest learning rate. */
  readonly learningRate: number;
  readonly dropout: number;
  /** Share of words that are treated as unknown ones. */
  readonly wordDropout: number;
  /** Share of captions that are joined with another. */
  readonly joinProbability: number;
  readonly seed: number;
}

export const defaultTrainingOptions: TrainingOptions = {
  epochs: 18,
  batch: 64,
  learningRate: 2e-3,
  dropout: 0.15,
  wordDropout: 0.06,
  joinProbability: 0.2,
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

/** Between two epochs: all that the epochs to come depend on. */
export interface TrainingState {
  /** Epochs that are done. */
  readonly epochs: number;
  readonly random: number;
  readonly optimizers: readonly AdamState[];
}

/** Where a training leaves its state and finds that of an earlier one. */
export interface Checkpoint {
  read(): TrainingState | undefined;
  write(state: TrainingState): void;
}

/** What the first layers of a network in training are made of. */
export interface TrainingContext {
  readonly kernels: ParserKernels;
  readonly training: TrainingKernels;
  readonly network: TrainingNetwork;
  readonly backward: BackwardPass;
  readonly random: Random;
  readonly options: TrainingOptions;
}

/** The first layers of a network in training. */
export interface EncoderParts<Source extends TokenEncoder = TokenEncoder> {
  readonly encoder: Source;
  /** The network's parameters that are not the trainer's: the source has them, or nobody uses them. */
  readonly unusedParameters: readonly ParameterName[];
  /** Names of layers with dropout. */
  readonly dropoutLayers: readonly string[];
}

const clipNorm = 5;
const longestJoined = 24;
/** What may stand between two captions that have nothing to do with each other. */
const connectors = [',', '.', 'while', 'as'];

/** A network in training. */
export class Trainer<Source extends TokenEncoder = TokenEncoder> {
  readonly network: TrainingNetwork;
  readonly encoder: Source;
  readonly #labels: RelationLabels;
  readonly #options: TrainingOptions;
  readonly #random: Random;
  readonly #masks: DropoutMasks;
  readonly #training: TrainingKernels;
  readonly #gradients: Parameters;
  readonly #optimisers: readonly (readonly [Float32Array, Adam])[];
  readonly #backward: BackwardPass;
  readonly #a: Activations;
  readonly #g: Activations;
  /** That are done. */
  #epochs = 0;

  constructor(
    kernels: ParserKernels,
    sizes: NetworkSizes,
    labels: RelationLabels,
    options: TrainingOptions,
    bodyOf: (parts: TrainingContext) => EncoderParts<Source>,
  ) {
    this.#labels = labels;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#training = new TrainingKernels(kernels);
    const parameters = allocateParameters(kernels, sizes);
    initializeParameters(parameters, sizes, this.#random);
    this.network = new TrainingNetwork(kernels, sizes, parameters);
    this.#gradients = allocateParameters(kernels, sizes);
    this.#backward = new BackwardPass(this.network, this.#training, this.#gradients);
    const { network } = this;
    const parts = {
      kernels,
      training: this.#training,
      network,
      backward: this.#backward,
      random: this.#random,
      options,
    };
    const { encoder: source, unusedParameters: without, dropoutLayers: dropout } = bodyOf(parts);
    this.encoder = source;
    this.#optimisers = (Object.keys(parameters) as ParameterName[])
      .filter((name) => !without.includes(name))
      .map((name) => [
        this.#gradients[name],
        new Adam(kernels, this.#training, parameters[name], this.#gradients[name]),
      ]);
    this.#a = new Activations(kernels, sizes, batchCapacity);
    this.#g = new Activations(kernels, sizes, batchCapacity);
    const layers = ['state', 'tagHidden', 'related', 'pairIn', 'pairHidden', 'ownerIn', ...dropout];
    this.#masks = new DropoutMasks(this.#random, Object.fromEntries(layers.map((layer) => [layer, options.dropout])));
  }

  /**
   * @param onEpoch called after each epoch with the mean losses
   * @param checkpoint where each epoch's state is left, and where a training of the same examples and options begins that
   *   finds one
   * @throws RangeError where that was another network's
   */
  train(
    examples: readonly TrainingExample[],
    onEpoch: (epoch: number, losses: Losses) => void,
    checkpoint?: Checkpoint,
  ): void {
    const { epochs, batch: size } = this.#options;
    const from = checkpoint?.read();
    this.#epochs = 0;
    if (from) this.#restore(from);
    for (let epoch = this.#epochs; epoch < epochs; epoch++) {
      const order = this.#joined(this.#random.shuffle([...examples]));
      const sums = { tags: 0, labels: 0, words: 0, owners: 0 };
      for (let k = 0; k < order.length; k += size) {
        const rate = scheduleFactor((epoch + k / order.length) / epochs) * this.#options.learningRate;
        const losses = this.#step(createBatch(order.slice(k, k + size)), rate);
        for (const name of Object.keys(sums) as (keyof Losses)[]) sums[name] += losses[name] / examples.length;
      }
      this.#epochs = epoch + 1;
      checkpoint?.write(this.state);
      onEpoch(epoch, sums);
    }
  }

  /** Its arrays are the training's own: they change with the next epoch. */
  get state(): TrainingState {
    return {
      epochs: this.#epochs,
      random: this.#random.state,
      optimizers: this.#allOptimisers.map(({ state }) => state),
    };
  }

  #restore({ epochs, random, optimizers: optimisers }: TrainingState): void {
    const own = this.#allOptimisers;
    if (optimisers.length !== own.length)
      throw new RangeError(`${optimisers.length} arrays of parameters, expected ${own.length}`);
    own.forEach((optimiser, n) => {
      optimiser.restore(optimisers[n]!);
    });
    this.#random.state = random;
    this.#epochs = epochs;
  }

  get #allOptimisers(): readonly Adam[] {
    return [...this.#optimisers.map(([, optimiser]) => optimiser), ...this.encoder.optimizers];
  }

  /** Some captions together with the one after them, as captions of COCO are longer than those of FACTUAL. */
  #joined(examples: readonly TrainingExample[]): TrainingExample[] {
    const joined: TrainingExample[] = [];
    for (let k = 0; k < examples.length; k++) {
      const [a, b] = [examples[k]!, examples[k + 1]];
      const isAlone = !b || a.soft || b.soft || a.words.length + b.words.length > longestJoined;
      if (isAlone || this.#random.next() >= this.#options.joinProbability) joined.push(a);
      else {
        joined.push(joinExamples(a, b, connectors[Math.floor(this.#random.next() * connectors.length)]!));
        k++;
      }
    }
    return joined;
  }

  /** What the network makes of a batch's words. */
  scoreWords(batch: Batch, masks?: DropoutMasks): Activations {
    const { rows, captions } = batch;
    const a = this.#a;
    this.encoder.forward(batch, a, masks);
    masks?.apply(a.states, rows * this.network.sizes.hidden, 'state');
    this.network.scoreWords(a, captions, rows, masks);
    return a;
  }

  /** What it makes of a batch's phrases, when it has read the words. */
  scorePhrases(batch: Batch, masks?: DropoutMasks): Activations {
    this.network.scorePhrases(this.#a, batch, masks);
    return this.#a;
  }

  /** Losses of some captions, summed, and their gradients; parameters stay. @returns gradients that the next call adds to */
  gradientsOf(examples: readonly TrainingExample[]): { readonly losses: Losses; readonly gradients: Parameters } {
    return { losses: this.#forwardBackward(createBatch(examples)), gradients: this.#gradients };
  }

  #step(batch: Batch, rate: number): Losses {
    const losses = this.#forwardBackward(batch);
    let squares = this.encoder.squares();
    for (const [gradient] of this.#optimisers) squares += this.#training.squares(gradient);
    const mean = 1 / batch.examples.length;
    const norm = Math.sqrt(squares) * mean;
    if (!Number.isFinite(norm)) throw new Error('training diverged: the gradient is not finite');
    const scale = mean * Math.min(1, clipNorm / norm);
    for (const [, optimiser] of this.#optimisers) optimiser.step(rate, scale);
    this.encoder.step(rate, scale);
    return losses;
  }

  #forwardBackward(batch: Batch): Losses {
    const { rows, captions, examples } = batch;
    const { sizes } = this.network;
    const [a, g, masks] = [this.#a, this.#g, this.#masks];
    this.scoreWords(batch, masks);
    this.scorePhrases(batch, masks);
    clearGradients(g, sizes, batch);

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
      const { soft, tags } = example;
      losses.tags += crfLoss(scores, start, tags, gradient, soft && { ...tagTargets(soft), trust: soft.weight });
      example.pairs.forEach(({ label, verb, preposition }, k) => {
        const pair = batch.offsets[n]!.pairs + k;
        losses.labels += this.#labelLoss(pair, label, softTarget(soft, 'labels', k, this.#labels.size));
        for (const [slot, gold, places] of [
          ['verb', verb, example.verbs],
          ['preposition', preposition, example.prepositions],
        ] as const)
          if (gold >= 0)
            losses.words += this.#slotLoss(slot, pair, start, places, gold, softTarget(soft, slot, k, places.length));
      });
      example.owners.forEach(({ owns }, k) => {
        const at = (batch.offsets[n]!.owners + k) * 8;
        const score = a.ownerScores[at]!;
        const trust = soft?.weight ?? 0;
        const target = (owns ? 1 - trust : 0) + (soft ? (trust * soft.owners[k]!) / 255 : 0);
        g.ownerScores[at] = 1 / (1 + Math.exp(-score)) - target;
        losses.owners += Math.max(score, 0) - (owns ? score : 0) + Math.log1p(Math.exp(-Math.abs(score)));
      });
    });
    this.#backward.run(a, g, batch, masks);
    masks.applyAgain(g.states, rows * sizes.hidden, 'state');
    this.encoder.backward(batch, a, g, masks);
    return losses;
  }

  /** Cross-entropy of a pair's label. */
  #labelLoss(pair: number, label: number, teacher: SoftTarget | undefined): number {
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
    teacher: SoftTarget | undefined,
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
        queryGradients[pair * hidden + k]! += d * a.relationStates[(start + t) * hidden + k]!;
        g.relationStates[(start + t) * hidden + k]! += d * queries[pair * hidden + k]!;
      }
    });
    return loss;
  }
}

/** A tenth of the time up, then down to nothing as a cosine falls. @param t in [0, 1] */
const scheduleFactor = (t: number) => (t < 0.1 ? t / 0.1 : 0.5 + 0.5 * Math.cos((Math.PI * (t - 0.1)) / 0.9));
