import { type ParserKernels, viterbiScratch } from '../src/parser/neural/kernels/parser-kernels.js';
import type { RelationLabels } from '../src/parser/neural/relation-labels.js';
import type { CrfScores } from '../src/parser/neural/tag-sequence.js';
import type { Activations } from './activations.js';
import { type Batch, batchCapacity, createBatch } from './caption-batch.js';
import { crfMarginals } from './crf-loss.js';
import { toBytes } from './soft-targets.js';
import { rowOf, softmax } from './softmax.js';
import { type TrainingExample, taggedExample, unlabeledExample } from './training-example.js';
import type { TrainingNetwork } from './training-network.js';

/** Captions of a batch. */
const askedAtOnce = 64;

/** A network that is asked. */
export interface BatchScorer {
  readonly network: TrainingNetwork;
  /** What it makes of a batch's words. */
  scoreWords(batch: Batch): Activations;
  /** What it makes of a batch's phrases, when it has read the words. */
  scorePhrases(batch: Batch): Activations;
}

/** Says what a trained network makes of captions. */
export class PseudoLabeler {
  readonly #reader: BatchScorer;
  readonly #labels: RelationLabels;
  readonly #tagsOf: (chain: CrfScores, start: number, length: number) => Uint8Array;

  /** @param kernels those of the reader's network */
  constructor(kernels: ParserKernels, reader: BatchScorer, labels: RelationLabels) {
    const [work, tags, totals] = [
      kernels.doubles(viterbiScratch * batchCapacity.rows),
      kernels.bytes(batchCapacity.rows),
      kernels.doubles(1),
    ];
    this.#tagsOf = (chain, start, length) => {
      kernels.viterbi(chain, start, length, 1, 0, work, tags, totals);
      return tags.slice(0, length);
    };
    this.#reader = reader;
    this.#labels = labels;
  }

  /**
   * Captions with what the network makes of them: the likeliest phrases and relations, and what it believes of each.
   * @param captions words, lower case
   */
  label(captions: readonly (readonly string[])[]): TrainingExample[] {
    const labelled: TrainingExample[] = [];
    for (let k = 0; k < captions.length; k += askedAtOnce) {
      const plain = captions.slice(k, k + askedAtOnce).map(unlabeledExample);
      labelled.push(...this.#label(plain));
    }
    return labelled;
  }

  #label(plain: readonly TrainingExample[]): TrainingExample[] {
    const { transitions, starts } = this.#reader.network.parameters;
    const asked = createBatch(plain);
    const chain = { tagScores: this.#reader.scoreWords(asked).tagScores, transitions, starts };
    const tagged = plain.map((example, n) => {
      const { start, length } = asked.captions[n]!;
      return taggedExample(example, this.#tagsOf(chain, start, length));
    });
    // The words stay in the rows where they were read.
    return this.#believe(createBatch(tagged));
  }

  #believe(batch: Batch): TrainingExample[] {
    const { network } = this.#reader;
    const a = this.#reader.scorePhrases(batch);
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
              rowOf(to, k, places.length),
            )
          ] ?? -1;
        const label = choose(a.labelScores.subarray(row * stride, row * stride + size), rowOf(labels, k, size));
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
      const marginals = crfMarginals({ tagScores: a.tagScores, transitions, starts }, start, length);
      const soft = {
        weight: 1,
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
