import { Kernels, tagWork } from '../learned/kernels/kernels.js';
import type { NetworkSizes } from '../learned/parameters.js';
import type { RelationLabels } from '../learned/relation-labels.js';
import type { ChainScores } from '../learned/tag-sequence.js';
import { type Batch, capacity, layOut } from './batch.js';
import { chainMarginals } from './chain-gradient.js';
import { dropoutLayers, Encoder } from './encoder.js';
import { EncoderStates } from './encoder-states.js';
import type { EncoderWeights } from './encoder-weights.js';
import { type Example, plainExample, taggedExample } from './example.js';
import { toBytes } from './soft-targets.js';
import { part, softmax } from './softmax.js';
import { type Checkpoint, type Losses, Trainer, type TrainingOptions } from './trainer.js';

/** What a teacher needs of the kernels' memory. */
const teacherBytes = 900 << 20;
/** Pieces of words of the largest batch. */
const mostPieces = 1536;
const askedAtOnce = 64;

export const teacherDefaults: TrainingOptions = {
  epochs: 6,
  batch: 64,
  rate: 1e-3,
  dropout: 0.1,
  wordDropout: 0,
  joined: 0.2,
  seed: 1,
};

/** A large network on a pre-trained encoder. It learns from people what a small one then learns from it. */
export class Teacher {
  readonly #trainer: Trainer;
  readonly #labels: RelationLabels;
  readonly #tagsOf: (chain: ChainScores, start: number, length: number) => Uint8Array;

  constructor(weights: EncoderWeights, labels: RelationLabels, options: TrainingOptions) {
    const kernels = new Kernels(teacherBytes);
    const { hidden } = weights.sizes;
    const sizes: NetworkSizes = {
      input: 8,
      hidden,
      tagHidden: hidden / 2,
      pairHidden: 256,
      attributeHidden: 128,
      labels: Math.ceil(labels.size / 8) * 8,
    };
    const [work, tags, totals] = [
      kernels.doubles(tagWork * capacity.rows),
      kernels.bytes(capacity.rows),
      kernels.doubles(1),
    ];
    this.#tagsOf = (chain, start, length) => {
      kernels.likeliestTags(chain, start, length, 1, 0, work, tags, totals);
      return tags.slice(0, length);
    };
    this.#labels = labels;
    this.#trainer = new Trainer(kernels, sizes, labels, options, ({ training }) => ({
      source: new EncoderStates(kernels, training, new Encoder(kernels, training, weights, mostPieces)),
      without: ['affixes', 'shapes', 'window', 'windowBias', 'compounds', 'context', 'contextBias'],
      dropout: dropoutLayers(weights.sizes),
    }));
  }

  /** @param onEpoch called after each epoch with the mean losses */
  train(examples: readonly Example[], onEpoch: (epoch: number, losses: Losses) => void, checkpoint?: Checkpoint): void {
    this.#trainer.train(examples, onEpoch, checkpoint);
  }

  /**
   * Captions with what the teacher makes of them: the likeliest phrases and relations, and what it believes of each.
   * @param captions words, lower case
   */
  label(captions: readonly (readonly string[])[]): Example[] {
    const labelled: Example[] = [];
    for (let k = 0; k < captions.length; k += askedAtOnce) {
      const plain = captions.slice(k, k + askedAtOnce).map(plainExample);
      labelled.push(...this.#label(plain));
    }
    return labelled;
  }

  #label(plain: readonly Example[]): Example[] {
    const { transitions, starts } = this.#trainer.network.parameters;
    const asked = layOut(plain);
    const chain = { tagScores: this.#trainer.read(asked).tagScores, transitions, starts };
    const tagged = plain.map((example, n) => {
      const { start, length } = asked.captions[n]!;
      return taggedExample(example, this.#tagsOf(chain, start, length));
    });
    // The words stay in the rows where they were read.
    return this.#believe(layOut(tagged));
  }

  #believe(batch: Batch): Example[] {
    const { network } = this.#trainer;
    const a = this.#trainer.relate(batch);
    const { transitions, starts } = network.parameters;
    const { labels: stride } = network.sizes;
    const { size, needsVerb, needsPreposition } = this.#labels;
    return batch.examples.map((example, n) => {
      const { start, length } = batch.captions[n]!;
      const offset = batch.offsets[n]!;
      const { verbs, prepositions } = example;
      const labels = new Float32Array(example.pairs.length * size);
      const verb = new Float32Array(example.pairs.length * verbs.length);
      const preposition = new Float32Array(example.pairs.length * prepositions.length);
      const pairs = example.pairs.map((pair, k) => {
        const row = offset.pairs + k;
        const choose = (scores: Float32Array, to: Float32Array) => {
          softmax(scores, to);
          return to.indexOf(to.reduce((most, value) => Math.max(most, value), 0));
        };
        const fill = (slot: 'verb' | 'preposition', places: readonly number[], to: Float32Array) =>
          places[
            choose(
              Float32Array.from(places, (t) => network.slotScore(a, slot, row, start + t)),
              part(to, k, places.length),
            )
          ] ?? -1;
        const label = choose(a.labelScores.subarray(row * stride, row * stride + size), part(labels, k, size));
        const [said, placed] = [fill('verb', verbs, verb), fill('preposition', prepositions, preposition)];
        return {
          ...pair,
          label,
          verb: needsVerb[label] ? said : -1,
          preposition: needsPreposition[label] ? placed : -1,
        };
      });
      const owners = Float32Array.from(
        example.owners,
        (_, k) => 1 / (1 + Math.exp(-a.ownerScores[(offset.owners + k) * 8]!)),
      );
      const marginals = chainMarginals({ tagScores: a.tagScores, transitions, starts }, start, length);
      const soft = {
        trust: 1,
        tags: toBytes(marginals.tags),
        transitions: toBytes(marginals.transitions),
        labels: toBytes(labels),
        verb: toBytes(verb),
        preposition: toBytes(preposition),
        owners: toBytes(owners),
      };
      return {
        ...example,
        pairs,
        owners: example.owners.map((owner, k) => ({ ...owner, owns: owners[k]! > 0.5 })),
        soft,
      };
    });
  }
}
