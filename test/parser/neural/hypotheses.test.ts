import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createBatch } from '../../../parser-training/caption-batch.js';
import { captionTokens } from '../../../parser-training/caption-tokens.js';
import { ModelScorer } from '../../../parser-training/model-scorer.js';
import { softmax } from '../../../parser-training/softmax.js';
import { type TrainingExample, taggedExample, unlabeledExample } from '../../../parser-training/training-example.js';
import { CaptionReader } from '../../../src/parser/neural/caption-reader.js';
import { ParserKernels, viterbiScratch } from '../../../src/parser/neural/kernels/parser-kernels.js';
import { decodeModel } from '../../../src/parser/neural/parser-model.js';
import { Random } from '../../../src/records/random.js';

/** A fact of a hypothesis, its probability there, and whether the parser returns it. */
interface Fact {
  readonly key: string;
  readonly probability: number;
  /** Probability that there is a fact of this kind, whatever its label. */
  readonly anyProbability: number;
  readonly isReturned: boolean;
}

interface Hypothesis {
  readonly facts: readonly Fact[];
  /** Log-probability of the tags, and of tags, relations and owners. */
  readonly tags: number;
  readonly all: number;
}

const maxHypotheses = 3;
const margin = 1.5;
const kernels = new ParserKernels(200 << 20);
const model = decodeModel(readFileSync(new URL('../../../src/parser/neural/parser.model', import.meta.url)), kernels);
const network = new ModelScorer(kernels, model);
const [scratch, tags, totals] = [
  kernels.doubles(viterbiScratch * 64 * maxHypotheses),
  kernels.bytes(64 * maxHypotheses),
  kernels.doubles(3),
];

/** Generates captions that are ambiguous. */
function captions(count: number): string[] {
  const random = new Random(4);
  const one = (list: string) => {
    const items = list.split(', ');
    return items[Math.floor(random.next() * items.length)]!;
  };
  const thing = () =>
    `${one('a, the, two, some')} ${one('red, old brick, big, metal, snow covered, ')} ${one('man, stop sign, street light post, dog, computer desk, train car, tennis court, tree branch, boat dock, water bottle')}`;
  return Array.from(
    { length: count },
    () =>
      `${thing()} ${one('sitting on, with, next to, is parked, that is behind, covered in')} ${thing()} ${one('and, in front of, holding, near, of')} ${thing()}`,
  ).map((caption) => caption.replace(/\s+/g, ' '));
}

function hypothesesOf(words: readonly string[]): Hypothesis[] {
  const unlabeled = unlabeledExample(words);
  const batch = createBatch([unlabeled]);
  const { tagScores } = network.scoreWords(batch);
  const { transitions, starts } = model.parameters;
  const at = batch.captions[0]!.start;
  const scores = { tagScores, transitions, starts };
  const count = kernels.viterbi(scores, at, words.length, maxHypotheses, margin, scratch, tags, totals);
  return Array.from({ length: count }, (_, n) => {
    const example = taggedExample(unlabeled, tags.slice(n * words.length, (n + 1) * words.length));
    return hypothesisOf(example, totals[n]!);
  });
}

/** Scores a tagging with the network in floats. */
function hypothesisOf(example: TrainingExample, tagScore: number): Hypothesis {
  const { sizes, labels } = model;
  const batch = createBatch([example]);
  const { start } = batch.captions[0]!;
  const a = network.scorePhrases(batch);
  const { mentions, attributes } = example;
  const spanOf = ({ start, end }: { readonly start: number; readonly end: number }) => `${start}-${end}`;
  const facts: Fact[] = mentions.map((mention) => ({
    key: spanOf(mention),
    probability: 1,
    anyProbability: 1,
    isReturned: true,
  }));
  let all = tagScore;
  example.pairs.forEach(({ first, second, steps }, k) => {
    const probabilities = new Float32Array(labels.size);
    softmax(a.labelScores.subarray(k * sizes.labels, k * sizes.labels + labels.size), probabilities);
    const highest = Math.max(...probabilities);
    const label = probabilities.indexOf(highest);
    const fillerProbability = (slot: 'verb' | 'preposition', words: readonly number[]) => {
      if (words.length === 0) return undefined;
      const own = new Float32Array(words.length);
      softmax(
        Float32Array.from(words, (t) => network.network.slotScore(a, slot, k, start + t)),
        own,
      );
      return Math.max(...own);
    };
    const verb = labels.needsVerb[label] ? fillerProbability('verb', example.verbs) : 1;
    const preposition = labels.needsPreposition[label] ? fillerProbability('preposition', example.prepositions) : 1;
    const probability = verb && preposition ? highest * verb * preposition : highest;
    const isFilled = label !== 0 && verb !== undefined && preposition !== undefined;
    all += Math.log(probability);
    const key = `${spanOf(mentions[first]!)} ${spanOf(mentions[second]!)} ${steps}`;
    facts.push({
      key,
      probability,
      anyProbability: 1 - probabilities[0]!,
      isReturned: isFilled && probability >= 0.2,
    });
  });
  example.owners.forEach(({ attribute, mention }, k) => {
    const score = a.ownerScores[k * 8]!;
    all -= Math.log1p(Math.exp(-Math.abs(score)));
    const probability = 1 / (1 + Math.exp(-score));
    const key = `${spanOf(attributes[attribute]!)} of ${spanOf(mentions[mention]!)}`;
    facts.push({ key, probability, anyProbability: probability, isReturned: probability > 0.5 });
  });
  return { facts, tags: tagScore, all };
}

/** Returns the expected F score of each hypothesis plus half the probability that it is right. */
function valuesOf(all: readonly Hypothesis[]): number[] {
  const shares = (scores: readonly number[]) => {
    const to = new Float32Array(scores.length);
    softmax(Float32Array.from(scores), to);
    return to;
  };
  const [byTags, byAll] = [shares(all.map(({ tags }) => tags)), shares(all.map(({ all }) => all))];
  const posteriors = new Map<string, number>();
  let expected = 0;
  all.forEach(({ facts }, n) => {
    for (const { key, probability, anyProbability } of facts) {
      posteriors.set(key, (posteriors.get(key) ?? 0) + byTags[n]! * probability);
      expected += byTags[n]! * anyProbability;
    }
  });
  return all.map(({ facts }, n) => {
    const returned = facts.filter(({ isReturned }) => isReturned);
    const correct = returned.reduce((sum, { key }) => sum + posteriors.get(key)!, 0);
    return (2 * correct) / (returned.length + expected) + 0.5 * byAll[n]!;
  });
}

describe('minimum Bayes-risk decoding of captions', () => {
  const reader = new CaptionReader(kernels, model);
  const read = captions(3000).map((caption) => {
    const tokens = captionTokens(caption, 2000);
    return { caption, found: reader.read(tokens), all: hypothesesOf(tokens.map(({ text }) => text)) };
  });

  it('chooses the hypothesis with the highest expected F score', () => {
    const others: string[] = [];
    let notMostLikely = 0;
    let ambiguous = 0;
    for (const { caption, found, all } of read) {
      const values = valuesOf(all);
      const facts = [
        ...found.mentions.map(({ start, end }) => `${start}-${end}`),
        ...found.relations.map(({ subject, object }) => {
          const [a, b] = [found.mentions[Math.min(subject, object)]!, found.mentions[Math.max(subject, object)]!];
          return `${a.start}-${a.end} ${b.start}-${b.end}`;
        }),
      ];
      const isFound = ({ facts: own }: Hypothesis) => {
        const returned = own.filter(({ isReturned, key }) => isReturned && !key.includes('of'));
        return (
          returned
            .map(({ key }) => key.split(' ').slice(0, 2).join(' '))
            .sort()
            .join() === [...facts].sort().join()
        );
      };
      // The parser computes in 12-bit integers, so near ties may go either way.
      const best = Math.max(...values) - 0.01;
      if (!all.some((hypothesis, n) => values[n]! >= best && isFound(hypothesis))) others.push(caption);
      if (all.length > 1) ambiguous++;
      const mostLikely = all.reduce((best, hypothesis) => (hypothesis.all > best.all ? hypothesis : best));
      if (!isFound(mostLikely)) notMostLikely++;
    }
    assert.ok(others.length < read.length / 200, others.join('\n'));
    assert.ok(ambiguous > 100, `${ambiguous} captions with several hypotheses`);
    assert.ok(notMostLikely > 3, `${notMostLikely} captions whose most likely hypothesis is not chosen`);
  });

  it('returns no relation with a confidence below 0.2', () => {
    const confidences = read.flatMap(({ found }) => found.relations.map(({ confidence }) => confidence));
    assert.ok(confidences.length > 400);
    assert.ok(Math.min(...confidences) >= 0.2);
    assert.ok(
      read.some(({ all }) =>
        all[0]!.facts.some(({ anyProbability, probability }) => probability < 0.2 && anyProbability > 0.5),
      ),
    );
  });
});
