import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { layOut } from '../../../parser-training/caption-batch.js';
import { ModelReader } from '../../../parser-training/model-reader.js';
import { softmax } from '../../../parser-training/softmax.js';
import { plainExample, type TrainingExample, taggedExample } from '../../../parser-training/training-example.js';
import { CaptionReader } from '../../../src/parser/neural/caption-reader.js';
import { captionTokens } from '../../../src/parser/neural/caption-tokens.js';
import { ParserKernels, viterbiScratch } from '../../../src/parser/neural/kernels/parser-kernels.js';
import { decodeModel } from '../../../src/parser/neural/parser-model.js';
import { Random } from '../../../src/records/random.js';

/** A fact that a tagging leads to, how much the network believes in it there, and whether it is told. */
interface Fact {
  readonly key: string;
  readonly belief: number;
  /** How likely it is that there is any such fact. */
  readonly any: number;
  readonly isTold: boolean;
}

interface Reading {
  readonly facts: readonly Fact[];
  /** Log-likelihood of the tags, and of all. */
  readonly tags: number;
  readonly all: number;
}

const readings = 3;
const reach = 1.5;
const kernels = new ParserKernels(200 << 20);
const model = decodeModel(readFileSync(new URL('../../../src/parser/neural/parser.model', import.meta.url)), kernels);
const network = new ModelReader(kernels, model);
const [work, tags, totals] = [
  kernels.doubles(viterbiScratch * 64 * readings),
  kernels.bytes(64 * readings),
  kernels.doubles(3),
];

/** Captions that can be read in more than one way. */
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

function readingsOf(words: readonly string[]): Reading[] {
  const plain = plainExample(words);
  const batch = layOut([plain]);
  const { tagScores } = network.read(batch);
  const { transitions, starts } = model.parameters;
  const at = batch.captions[0]!.start;
  const chain = { tagScores, transitions, starts };
  const count = kernels.viterbi(chain, at, words.length, readings, reach, work, tags, totals);
  return Array.from({ length: count }, (_, n) => {
    const example = taggedExample(plain, tags.slice(n * words.length, (n + 1) * words.length));
    return readingOf(example, totals[n]!);
  });
}

/** As the network sees it in floats. */
function readingOf(example: TrainingExample, tagged: number): Reading {
  const { sizes, labels } = model;
  const batch = layOut([example]);
  const { start } = batch.captions[0]!;
  const a = network.relate(batch);
  const { mentions, attributes } = example;
  const spanOf = ({ start, end }: { readonly start: number; readonly end: number }) => `${start}-${end}`;
  const facts: Fact[] = mentions.map((mention) => ({ key: spanOf(mention), belief: 1, any: 1, isTold: true }));
  let all = tagged;
  example.pairs.forEach(({ first, second, steps }, k) => {
    const shares = new Float32Array(labels.size);
    softmax(a.labelScores.subarray(k * sizes.labels, k * sizes.labels + labels.size), shares);
    const most = Math.max(...shares);
    const label = shares.indexOf(most);
    const likeliest = (slot: 'verb' | 'preposition', places: readonly number[]) => {
      if (places.length === 0) return undefined;
      const own = new Float32Array(places.length);
      softmax(
        Float32Array.from(places, (t) => network.network.slotScore(a, slot, k, start + t)),
        own,
      );
      return Math.max(...own);
    };
    const verb = labels.needsVerb[label] ? likeliest('verb', example.verbs) : 1;
    const preposition = labels.needsPreposition[label] ? likeliest('preposition', example.prepositions) : 1;
    const belief = verb && preposition ? most * verb * preposition : most;
    const isNamed = label !== 0 && verb !== undefined && preposition !== undefined;
    all += Math.log(belief);
    const key = `${spanOf(mentions[first]!)} ${spanOf(mentions[second]!)} ${steps}`;
    facts.push({ key, belief, any: 1 - shares[0]!, isTold: isNamed && belief >= 0.2 });
  });
  example.owners.forEach(({ attribute, mention }, k) => {
    const score = a.ownerScores[k * 8]!;
    all -= Math.log1p(Math.exp(-Math.abs(score)));
    const belief = 1 / (1 + Math.exp(-score));
    const key = `${spanOf(attributes[attribute]!)} of ${spanOf(mentions[mention]!)}`;
    facts.push({ key, belief, any: belief, isTold: belief > 0.5 });
  });
  return { facts, tags: tagged, all };
}

/** The expected F score of each reading, and half the chance that it is the right one. */
function valuesOf(all: readonly Reading[]): number[] {
  const shares = (scores: readonly number[]) => {
    const to = new Float32Array(scores.length);
    softmax(Float32Array.from(scores), to);
    return to;
  };
  const [byTags, byAll] = [shares(all.map(({ tags }) => tags)), shares(all.map(({ all }) => all))];
  const beliefs = new Map<string, number>();
  let meant = 0;
  all.forEach(({ facts }, n) => {
    for (const { key, belief, any } of facts) {
      beliefs.set(key, (beliefs.get(key) ?? 0) + byTags[n]! * belief);
      meant += byTags[n]! * any;
    }
  });
  return all.map(({ facts }, n) => {
    const told = facts.filter(({ isTold }) => isTold);
    const right = told.reduce((sum, { key }) => sum + beliefs.get(key)!, 0);
    return (2 * right) / (told.length + meant) + 0.5 * byAll[n]!;
  });
}

describe('the parser’s choice among readings', () => {
  const reader = new CaptionReader(kernels, model);
  const read = captions(3000).map((caption) => {
    const tokens = captionTokens(caption, 2000);
    return { caption, found: reader.read(tokens), all: readingsOf(tokens.map(({ text }) => text)) };
  });

  it('is the one that is expected to agree best with all of them', () => {
    const others: string[] = [];
    let unlikeliest = 0;
    let several = 0;
    for (const { caption, found, all } of read) {
      const values = valuesOf(all);
      const facts = [
        ...found.mentions.map(({ start, end }) => `${start}-${end}`),
        ...found.relations.map(({ subject, object }) => {
          const [a, b] = [found.mentions[Math.min(subject, object)]!, found.mentions[Math.max(subject, object)]!];
          return `${a.start}-${a.end} ${b.start}-${b.end}`;
        }),
      ];
      const isFound = ({ facts: own }: Reading) => {
        const told = own.filter(({ isTold, key }) => isTold && !key.includes('of'));
        return (
          told
            .map(({ key }) => key.split(' ').slice(0, 2).join(' '))
            .sort()
            .join() === [...facts].sort().join()
        );
      };
      // The parser's arithmetic is in whole numbers: what is all but equal may go either way, here and at a limit.
      const best = Math.max(...values) - 0.01;
      if (!all.some((reading, n) => values[n]! >= best && isFound(reading))) others.push(caption);
      if (all.length > 1) several++;
      const likeliest = all.reduce((most, reading) => (reading.all > most.all ? reading : most));
      if (!isFound(likeliest)) unlikeliest++;
    }
    assert.ok(others.length < read.length / 200, others.join('\n'));
    assert.ok(several > 100, `${several} captions with several readings`);
    assert.ok(unlikeliest > 3, `${unlikeliest} captions whose likeliest reading is not told`);
  });

  it('tells no relation that is unlikely', () => {
    const confidences = read.flatMap(({ found }) => found.relations.map(({ confidence }) => confidence));
    assert.ok(confidences.length > 400);
    assert.ok(Math.min(...confidences) >= 0.2);
    assert.ok(read.some(({ all }) => all[0]!.facts.some(({ any, belief }) => belief < 0.2 && any > 0.5)));
  });
});
