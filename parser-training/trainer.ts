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

/** Settings of a training. */
export interface TrainingOptions {
  readonly epochs: number;
  /** Captions per batch. */
  readonly batchSize: number;
  /** The largest learning rate. */
  readonly learningRate: number;
  readonly dropout: number;
  /** Probability that a word counts as unknown. */
  readonly wordDropout: number;
  /** Probability that an annotated caption is joined with the next one. */
  readonly joinProbability: number;
  readonly seed: number;
}

export const defaultTrainingOptions: TrainingOptions = {
  epochs: 18,
  batchSize: 64,
  learningRate: 2e-3,
  dropout: 0.15,
  wordDropout: 0.06,
  joinProbability: 0.2,
  seed: 1,
};

/** Mean losses per caption, in nats. */
export interface Losses {
  readonly tags: number;
  readonly labels: number;
  /** Loss of the words that fill labels. */
  readonly words: number;
  readonly owners: number;
}

/** The state between two epochs, which determines all later ones. */
export interface TrainingState {
  /** Completed epochs. */
  readonly epochs: number;
  readonly random: number;
  readonly optimizers: readonly AdamState[];
}

/** Storage of a training's state. */
export interface Checkpoint {
  read(): TrainingState | undefined;
  write(state: TrainingState): void;
}

/** What a token encoder is created from. */
export interface TrainingContext {
  readonly kernels: ParserKernels;
  readonly training: TrainingKernels;
  readonly network: TrainingNetwork;
  readonly backward: BackwardPass;
  readonly random: Random;
  readonly options: TrainingOptions;
}

/** A token encoder and its relation to the rest of the network. */
export interface EncoderParts<Encoder extends TokenEncoder = TokenEncoder> {
  readonly encoder: Encoder;
  /** The network's parameters that the trainer does not update, because the encoder does or because they are unused. */
  readonly unusedParameters: readonly ParameterName[];
  /** Names of the encoder's layers with dropout. */
  readonly dropoutLayers: readonly string[];
}

const maxGradientNorm = 5;
/** Most words of two joined captions. */
const maxJoinedWords = 24;
/** Words between two joined captions, whose contents are unrelated. */
const connectors = [',', '.', 'while', 'as'];

/** Trains a network. */
export class Trainer<Encoder extends TokenEncoder = TokenEncoder> {
  readonly network: TrainingNetwork;
  readonly encoder: Encoder;
  readonly #labels: RelationLabels;
  readonly #options: TrainingOptions;
  readonly #random: Random;
  readonly #masks: DropoutMasks;
  readonly #training: TrainingKernels;
  readonly #gradients: Parameters;
  readonly #optimizers: readonly (readonly [Float32Array, Adam])[];
  readonly #backward: BackwardPass;
  readonly #a: Activations;
  readonly #g: Activations;
  /** Completed epochs. */
  #epochs = 0;

  constructor(
    kernels: ParserKernels,
    sizes: NetworkSizes,
    labels: RelationLabels,
    options: TrainingOptions,
    createEncoder: (context: TrainingContext) => EncoderParts<Encoder>,
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
    const { encoder, unusedParameters, dropoutLayers } = createEncoder({
      kernels,
      training: this.#training,
      network,
      backward: this.#backward,
      random: this.#random,
      options,
    });
    this.encoder = encoder;
    this.#optimizers = (Object.keys(parameters) as ParameterName[])
      .filter((name) => !unusedParameters.includes(name))
      .map((name) => [
        this.#gradients[name],
        new Adam(kernels, this.#training, parameters[name], this.#gradients[name]),
      ]);
    this.#a = new Activations(kernels, sizes, batchCapacity);
    this.#g = new Activations(kernels, sizes, batchCapacity);
    const layers = ['states', 'tagHidden', 'relationStates', 'pairIn', 'pairStates', 'ownerIn', ...dropoutLayers];
    this.#masks = new DropoutMasks(this.#random, Object.fromEntries(layers.map((layer) => [layer, options.dropout])));
  }

  /**
   * Trains for the configured epochs.
   * @param onEpoch called after each epoch with the mean losses
   * @param checkpoint receives the state after each epoch; if it has one of the same examples and options, training resumes
   * @throws RangeError if the checkpoint is of another network
   */
  train(
    examples: readonly TrainingExample[],
    onEpoch: (epoch: number, losses: Losses) => void,
    checkpoint?: Checkpoint,
  ): void {
    const { epochs, batchSize: size } = this.#options;
    const saved = checkpoint?.read();
    this.#epochs = 0;
    if (saved) this.#restore(saved);
    for (let epoch = this.#epochs; epoch < epochs; epoch++) {
      const order = this.#joinSome(this.#random.shuffle([...examples]));
      const sums = { tags: 0, labels: 0, words: 0, owners: 0 };
      for (let k = 0; k < order.length; k += size) {
        const learningRate = scheduleFactor((epoch + k / order.length) / epochs) * this.#options.learningRate;
        const losses = this.#step(createBatch(order.slice(k, k + size)), learningRate);
        for (const name of Object.keys(sums) as (keyof Losses)[]) sums[name] += losses[name] / examples.length;
      }
      this.#epochs = epoch + 1;
      checkpoint?.write(this.state);
      onEpoch(epoch, sums);
    }
  }

  /** The training's own arrays, which the next epoch changes. */
  get state(): TrainingState {
    return {
      epochs: this.#epochs,
      random: this.#random.state,
      optimizers: this.#allOptimizers.map(({ state }) => state),
    };
  }

  #restore({ epochs, random, optimizers }: TrainingState): void {
    const own = this.#allOptimizers;
    if (optimizers.length !== own.length)
      throw new RangeError(`checkpoint: ${optimizers.length} arrays of parameters, expected ${own.length}`);
    own.forEach((optimizer, n) => {
      optimizer.restore(optimizers[n]!);
    });
    this.#random.state = random;
    this.#epochs = epochs;
  }

  get #allOptimizers(): readonly Adam[] {
    return [...this.#optimizers.map(([, optimizer]) => optimizer), ...this.encoder.optimizers];
  }

  /** Joins some captions with the next one, because COCO's captions are longer than FACTUAL's. */
  #joinSome(examples: readonly TrainingExample[]): TrainingExample[] {
    const joined: TrainingExample[] = [];
    for (let k = 0; k < examples.length; k++) {
      const [a, b] = [examples[k]!, examples[k + 1]];
      const isSingle = !b || a.soft || b.soft || a.words.length + b.words.length > maxJoinedWords;
      if (isSingle || this.#random.next() >= this.#options.joinProbability) joined.push(a);
      else {
        joined.push(joinExamples(a, b, connectors[Math.floor(this.#random.next() * connectors.length)]!));
        k++;
      }
    }
    return joined;
  }

  /** Computes the states and tag scores of a batch's words. */
  scoreWords(batch: Batch, masks?: DropoutMasks): Activations {
    const { rows, captions } = batch;
    const a = this.#a;
    this.encoder.forward(batch, a, masks);
    masks?.apply(a.states, rows * this.network.sizes.hidden, 'states');
    this.network.scoreWords(a, captions, rows, masks);
    return a;
  }

  /** Scores the relations and owners of a batch's phrases, after `scoreWords`. */
  scorePhrases(batch: Batch, masks?: DropoutMasks): Activations {
    this.network.scorePhrases(this.#a, batch, masks);
    return this.#a;
  }

  /** Returns the summed losses of examples and the gradients, to which every call adds, without updating parameters. */
  gradientsOf(examples: readonly TrainingExample[]): { readonly losses: Losses; readonly gradients: Parameters } {
    return { losses: this.#forwardBackward(createBatch(examples)), gradients: this.#gradients };
  }

  #step(batch: Batch, learningRate: number): Losses {
    const losses = this.#forwardBackward(batch);
    let squares = this.encoder.squares();
    for (const [gradient] of this.#optimizers) squares += this.#training.squares(gradient);
    const mean = 1 / batch.examples.length;
    const norm = Math.sqrt(squares) * mean;
    if (!Number.isFinite(norm))
      throw new Error('training diverged: the gradient is not finite, try a lower learning rate');
    const scale = mean * Math.min(1, maxGradientNorm / norm);
    for (const [, optimizer] of this.#optimizers) optimizer.step(learningRate, scale);
    this.encoder.step(learningRate, scale);
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
      losses.tags += crfLoss(scores, start, tags, gradient, soft && { ...tagTargets(soft), weight: soft.weight });
      example.pairs.forEach(({ label, verb, preposition }, k) => {
        const pair = batch.offsets[n]!.pairs + k;
        losses.labels += this.#labelLoss(pair, label, softTarget(soft, 'labels', k, this.#labels.size));
        for (const [slot, gold, words] of [
          ['verb', verb, example.verbs],
          ['preposition', preposition, example.prepositions],
        ] as const)
          if (gold >= 0)
            losses.words += this.#slotLoss(slot, pair, start, words, gold, softTarget(soft, slot, k, words.length));
      });
      example.owners.forEach(({ owns }, k) => {
        const at = (batch.offsets[n]!.owners + k) * 8;
        const score = a.ownerScores[at]!;
        const weight = soft?.weight ?? 0;
        const target = (owns ? 1 - weight : 0) + (soft ? (weight * soft.owners[k]!) / 255 : 0);
        g.ownerScores[at] = 1 / (1 + Math.exp(-score)) - target;
        losses.owners += Math.max(score, 0) - (owns ? score : 0) + Math.log1p(Math.exp(-Math.abs(score)));
      });
    });
    this.#backward.run(a, g, batch, masks);
    masks.applyAgain(g.states, rows * sizes.hidden, 'states');
    this.encoder.backward(batch, a, g, masks);
    return losses;
  }

  /** Returns the cross-entropy of a pair's label. */
  #labelLoss(pair: number, label: number, teacher: SoftTarget | undefined): number {
    const { labels: stride } = this.network.sizes;
    const count = this.#labels.size;
    const scores = this.#a.labelScores.subarray(pair * stride, pair * stride + count);
    return softmaxLoss(scores, label, this.#g.labelScores.subarray(pair * stride, pair * stride + count), teacher);
  }

  /** Returns the cross-entropy of the word that fills a label, among `words`. */
  #slotLoss(
    slot: Slot,
    pair: number,
    start: number,
    words: readonly number[],
    gold: number,
    teacher: SoftTarget | undefined,
  ): number {
    const { hidden } = this.network.sizes;
    const [a, g] = [this.#a, this.#g];
    const [queries, queryGradients] = [a.queries[slot], g.queries[slot]];
    const scores = Float32Array.from(words, (t) => this.network.slotScore(a, slot, pair, start + t));
    const gradient = new Float32Array(words.length);
    const loss = softmaxLoss(scores, words.indexOf(gold), gradient, teacher);
    words.forEach((t, n) => {
      const d = gradient[n]! * slotScale;
      for (let k = 0; k < hidden; k++) {
        queryGradients[pair * hidden + k]! += d * a.relationStates[(start + t) * hidden + k]!;
        g.relationStates[(start + t) * hidden + k]! += d * queries[pair * hidden + k]!;
      }
    });
    return loss;
  }
}

/** Returns the factor of the learning rate: linear warmup for a tenth of the training, then cosine decay. @param t in [0, 1] */
const scheduleFactor = (t: number) => (t < 0.1 ? t / 0.1 : 0.5 + 0.5 * Math.cos((Math.PI * (t - 0.1)) / 0.9));
