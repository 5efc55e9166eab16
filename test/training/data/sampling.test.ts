import assert from 'node:assert/strict';
import { NO_OBJECTS } from '../../../src/model/encode-image.js';
import type { ImageRecord } from '../../../src/records/image.js';
import type { Related, Relation } from '../../../src/records/scene-graph.js';
import { labelSet } from '../../../src/training/data/label-set.js';
import { drawWithoutReplacement, randomStream } from '../../../src/training/data/random-stream.js';
import { samplePairs } from '../../../src/training/data/sample-pairs.js';
import { shuffleStream } from '../../../src/training/data/shuffle-stream.js';
import { trainingSample } from '../../../src/training/data/training-sample.js';
import { WeightedSampler } from '../../../src/training/data/weighted-sampler.js';
import { collect } from '../../support/records.js';

type Boxes = readonly (readonly [number, number, number, number])[];

const record = (boxes: Boxes, relations: readonly Relation[]): ImageRecord & Related => ({
  image: { id: 7, file: '7.jpg', width: 100, height: 50, dataset: 'test', split: '' },
  detections: boxes.map((box, id) => ({ id, category: `thing ${id}`, box })),
  origin: { source: 'test', file: 'test.json' },
  relations: [...relations],
  tagger: null,
});
const options = { relationThreshold: 0.2 };
const holds = (subject: number, object: number, predicate: string, confidence?: number): Relation => ({
  subject,
  object,
  predicate,
  ...(confidence !== undefined && { confidence }),
});

describe('trainingSample', () => {
  it('merges what holds of a pair, and names all that it leaves out', () => {
    const boxes: Boxes = [
      [10, 10, 20, 20],
      [5, 5, 0, 9],
      [90, 40, 30, 30],
      [300, 10, 20, 20],
    ];
    const relations = [
      holds(0, 2, 'near'),
      holds(0, 2, 'behind', 0.2),
      holds(0, 2, 'near', 0.9),
      holds(2, 0, 'on', 0.19),
      holds(0, 1, 'near'),
      holds(0, 3, 'near'),
      holds(2, 2, 'near'),
    ];
    const counts: Record<string, number> = {};
    const sample = trainingSample(record(boxes, relations), options, (problem) => {
      counts[problem] = (counts[problem] ?? 0) + 1;
    });
    assert.deepEqual(sample.boxes, [
      [10, 10, 20, 20],
      [90, 40, 10, 10],
    ]);
    assert.deepEqual(sample.categories, ['thing 0', 'thing 2']);
    assert.deepEqual(sample.pairs, [{ subject: 0, object: 1, predicates: ['near', 'behind'] }]);
    assert.deepEqual(counts, {
      'empty-box': 2,
      'repeated-relation': 1,
      'weak-relation': 1,
      'relation-of-empty-box': 2,
      'relation-with-itself': 1,
    });
  });

  it('refuses by name what there is nothing to learn from', () => {
    const box: Boxes = [[0, 0, 9, 9]];
    assert.throws(() => trainingSample(record([], []), options), { reason: 'no-objects' });
    assert.throws(() => trainingSample(record([[1, 1, 0, 0]], [holds(0, 0, 'on')]), options), {
      reason: 'no-objects',
      message: 'image 7: has no object with an area',
    });
    assert.throws(() => trainingSample(record(box, []), options), { reason: 'no-relations' });
    assert.throws(() => trainingSample(record([...box, [0, 0, -5, 9]], [holds(0, 1, 'on')]), options), {
      reason: 'no-relations',
    });
    assert.throws(() => trainingSample(record([...box, [Number.NaN, 0, 5, 9]], [holds(0, 1, 'on')]), options), {
      reason: 'no-relations',
    });
  });
});

describe('samplePairs', () => {
  const positives = (count: number, objects: number) =>
    Array.from({ length: count }, (_, k) => ({
      subject: k % objects,
      object: (k + 1 + Math.floor(k / objects)) % objects,
      predicates: ['on'],
    }));
  const keys = (pairs: readonly { subject: number; object: number }[]) =>
    new Set(pairs.map(({ subject, object }) => `${subject} ${object}`));

  it('takes every pair where there is room, positives first', () => {
    const given = positives(3, 4);
    const pairs = samplePairs(randomStream(1), 4, given, 100);
    assert.deepEqual(pairs.slice(0, 3), given);
    assert.equal(pairs.length, 12);
    assert.equal(keys(pairs).size, 12);
    assert.ok(pairs.every(({ subject, object }) => subject !== object && subject < 4 && object < 4));
    assert.ok(pairs.slice(3).every(({ predicates }) => predicates.length === 0));
  });

  it('fills up to the budget with true negatives, and no further', () => {
    for (const objects of [11, 25, 300]) {
      const given = positives(30, objects);
      const pairs = samplePairs(randomStream(2, objects), objects, given, 100);
      assert.equal(pairs.length, 100);
      assert.equal(keys(pairs).size, 100);
      assert.deepEqual(pairs.slice(0, 30), given);
      assert.ok(pairs.every(({ subject, object }) => subject !== object && subject < objects && object < objects));
    }
  });

  it('takes so many of more positives, each as likely', () => {
    const given = positives(150, 20);
    const taken = new Map<string, number>();
    for (let seed = 0; seed < 600; seed++) {
      const pairs = samplePairs(randomStream(3, seed), 20, given, 100);
      assert.equal(keys(pairs).size, 100);
      for (const key of keys(pairs)) taken.set(key, (taken.get(key) ?? 0) + 1);
    }
    // 400 of 600 expected, with a standard deviation of 11.5.
    for (const [key, count] of taken) assert.ok(count > 340 && count < 460, `${key}: ${count}`);
  });

  it('draws negatives evenly, also from few that are free', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 3000; seed++)
      for (const key of keys(samplePairs(randomStream(4, seed), 6, positives(2, 6), 4).slice(2)))
        counts.set(key, (counts.get(key) ?? 0) + 1);
    assert.equal(counts.size, 28);
    for (const [key, count] of counts) assert.ok(count > 150 && count < 280, `${key}: ${count} of about 214`);
  });

  it('is at home with one object and with thousands', () => {
    assert.deepEqual(samplePairs(randomStream(5), 1, [], 100), []);
    assert.equal(samplePairs(randomStream(5), 30_000, positives(5, 30_000), 100).length, 100);
  });
});

describe('WeightedNames', () => {
  const names = new WeightedSampler(
    new Map([
      ['often', 6],
      ['seldom', 3],
      ['once', 1],
      ['never', 0],
    ]),
  );

  it('draws as often as names come, and what is drawn first follows', () => {
    const first: Record<string, number> = {};
    const pairs: Record<string, number> = {};
    for (let seed = 0; seed < 20_000; seed++) {
      const drawn = names.draw(randomStream(seed), 2);
      first[drawn[0]!] = (first[drawn[0]!] ?? 0) + 1;
      pairs[drawn.join()] = (pairs[drawn.join()] ?? 0) + 1;
    }
    const near = (count: number | undefined, share: number) =>
      assert.ok(Math.abs((count ?? 0) / 20_000 - share) < 0.015, `${count}, expected ${share}`);
    near(first['often'], 0.6);
    near(first['seldom'], 0.3);
    near(first['once'], 0.1);
    // Without replacement: 0.3 · 6/7 and 0.6 · 1/4.
    near(pairs['seldom,often'], 0.3 * (6 / 7));
    near(pairs['often,once'], 0.6 * 0.25);
  });

  it('ends where no names are left, and leaves out what it is told to', () => {
    assert.deepEqual(names.draw(randomStream(1), 500).sort(), ['often', 'once', 'seldom']);
    assert.deepEqual(names.draw(randomStream(1), 500, ['often', 'often', 'unknown']).sort(), ['once', 'seldom']);
    assert.deepEqual(new WeightedSampler(new Map()).draw(randomStream(1), 5), []);
    assert.deepEqual(new WeightedSampler(new Map([['a', 1]])).draw(randomStream(1), 5), ['a']);
  });
});

describe('textSet', () => {
  const vocabularies = {
    objects: new WeightedSampler(
      new Map([
        ['person', 9],
        ['horse', 3],
        ['dog', 2],
        [NO_OBJECTS, 5],
      ]),
    ),
    relations: new WeightedSampler(
      new Map([
        ['on', 5],
        ['near', 4],
        ['behind', 1],
      ]),
    ),
  };
  const images = [
    { categories: ['horse', 'person', 'horse'], pairs: [{ predicates: ['near'] }, { predicates: [] }] },
    { categories: ['person'], pairs: [{ predicates: ['near', 'on'] }] },
  ];

  it('has what the images name in order, then others, and "no objects" last of the objects', () => {
    const { objects, relations } = labelSet(randomStream(1), images, vocabularies, { objects: 333, relations: 167 });
    assert.deepEqual(objects, ['horse', 'person', 'dog', NO_OBJECTS]);
    assert.deepEqual(relations, ['near', 'on', 'behind']);
  });

  it('never cuts what is named, and is not larger than wanted otherwise', () => {
    const small = labelSet(randomStream(1), images, vocabularies, { objects: 1, relations: 1 });
    assert.deepEqual(small, { objects: ['horse', 'person', NO_OBJECTS], relations: ['near', 'on'] });
  });

  it('has a relation to say no to where images name none', () => {
    const empty = labelSet(randomStream(1), [{ categories: ['dog'], pairs: [] }], vocabularies, {
      objects: 0,
      relations: 0,
    });
    assert.deepEqual(empty.objects, ['dog', NO_OBJECTS]);
    assert.equal(empty.relations.length, 1);
  });
});

describe('shuffleStream', () => {
  async function* count(end: number) {
    for (let k = 0; k < end; k++) yield k;
  }

  it('loses nothing and repeats nothing, whatever the buffer; the same seed gives the same order', async () => {
    for (const size of [1, 3, 10, 50]) {
      const order = await collect(shuffleStream(count(20), size, randomStream(1)));
      assert.deepEqual(
        order.toSorted((a, b) => a - b),
        await collect(count(20)),
      );
      assert.deepEqual(await collect(shuffleStream(count(20), size, randomStream(1))), order);
      if (size === 1) assert.deepEqual(order, await collect(count(20)));
      else assert.notDeepEqual(order, await collect(count(20)));
    }
    assert.deepEqual(await collect(shuffleStream(count(0), 5, randomStream(1))), []);
  });

  it('reads no further than its buffer', async () => {
    let read = 0;
    async function* watched() {
      for (; read < 100; ) yield read++;
    }
    const stream = shuffleStream(watched(), 8, randomStream(2));
    await stream.next();
    assert.ok(read <= 10, `${read} read for the first`);
    await stream.return(undefined);
  });

  it('puts every item in every place', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++)
      for (const [place, item] of (await collect(shuffleStream(count(4), 4, randomStream(seed)))).entries())
        seen.add(`${place} ${item}`);
    assert.equal(seen.size, 16);
  });
});

describe('randomStream', () => {
  it('depends on every label, and near labels have little in common', () => {
    const first = (...labels: number[]) => randomStream(...labels).next();
    assert.equal(first(1, 2, 3), first(1, 2, 3));
    const values = [first(1, 2, 3), first(1, 2, 4), first(1, 3, 3), first(2, 2, 3), first(0, 0, 0), first(0, 0, 256)];
    assert.equal(new Set(values).size, values.length);
    const mean = Array.from({ length: 1000 }, (_, k) => first(9, 1, k)).reduce((sum, value) => sum + value, 0) / 1000;
    assert.ok(Math.abs(mean - 0.5) < 0.03, `mean ${mean}`);
    assert.equal(new Set(drawWithoutReplacement(randomStream(1), [1, 2, 3, 4], 3)).size, 3);
  });
});
