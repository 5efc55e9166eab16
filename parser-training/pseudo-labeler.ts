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

/** Captions per batch. */
const batchSize = 64;

/** A trained network that scores batches. */
export interface BatchScorer {
  readonly network: TrainingNetwork;
  /** Computes tag scores and the states for relations. */
  scoreWords(batch: Batch): Activations;
  /** Scores the relations and owners of a batch's phrases, after `scoreWords`. */
  scorePhrases(batch: Batch): Activations;
}

/** Labels captions with the predictions of a trained network. */
export class PseudoLabeler {
  readonly #scorer: BatchScorer;
  readonly #labels: RelationLabels;
  readonly #tagsOf: (scores: CrfScores, start: number, length: number) => Uint8Array;

  /** @param kernels those of the scorer's network */
  constructor(kernels: ParserKernels, scorer: BatchScorer, labels: RelationLabels) {
    const [scratch, tags, totals] = [
      kernels.doubles(viterbiScratch * batchCapacity.rows),
      kernels.bytes(batchCapacity.rows),
      kernels.doubles(1),
    ];
    this.#tagsOf = (scores, start, length) => {
      kernels.viterbi(scores, start, length, 1, 0, scratch, tags, totals);
      return tags.slice(0, length);
    };
    this.#scorer = scorer;
    this.#labels = labels;
  }

  /**
   * Labels captions with the most likely phrases and relations, and with the probabilities of all as soft targets.
   * @param captions their words in lower case
   */
  label(captions: readonly (readonly string[])[]): TrainingExample[] {
    const labeled: TrainingExample[] = [];
    for (let k = 0; k < captions.length; k += batchSize) {
      const unlabeled = captions.slice(k, k + batchSize).map(unlabeledExample);
      labeled.push(...this.#labelBatch(unlabeled));
    }
    return labeled;
  }

  #labelBatch(unlabeled: readonly TrainingExample[]): TrainingExample[] {
    const { transitions, starts } = this.#scorer.network.parameters;
    const words = createBatch(unlabeled);
    const scores = { tagScores: this.#scorer.scoreWords(words).tagScores, transitions, starts };
    const tagged = unlabeled.map((example, n) => {
      const { start, length } = words.captions[n]!;
      return taggedExample(example, this.#tagsOf(scores, start, length));
    });
    // The words keep their rows.
    return this.#labelPhrases(createBatch(tagged));
  }

  #labelPhrases(batch: Batch): TrainingExample[] {
    const { network } = this.#scorer;
    const a = this.#scorer.scorePhrases(batch);
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
          return to.indexOf(to.reduce((highest, value) => Math.max(highest, value), 0));
        };
        const fill = (slot: 'verb' | 'preposition', words: readonly number[], to: Float32Array) =>
          words[
            choose(
              Float32Array.from(words, (t) => network.slotScore(a, slot, row, start + t)),
              rowOf(to, k, words.length),
            )
          ] ?? -1;
        const label = choose(a.labelScores.subarray(row * stride, row * stride + size), rowOf(labels, k, size));
        const [verbRow, prepositionRow] = [fill('verb', verbs, verb), fill('preposition', prepositions, preposition)];
        return {
          ...pair,
          label,
          verb: needsVerb[label] ? verbRow : -1,
          preposition: needsPreposition[label] ? prepositionRow : -1,
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
