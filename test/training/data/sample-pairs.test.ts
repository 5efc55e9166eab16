import assert from 'node:assert/strict';
import { randomStream } from '../../../src/training/data/random-stream.js';
import { samplePairs } from '../../../src/training/data/sample-pairs.js';

describe('samplePairs', () => {
  const positives = (count: number, objects: number) =>
    Array.from({ length: count }, (_, k) => ({
      subject: k % objects,
      object: (k + 1 + Math.floor(k / objects)) % objects,
      predicates: ['on'],
    }));
  const keys = (pairs: readonly { subject: number; object: number | null }[]) =>
    new Set(pairs.map(({ subject, object }) => `${subject} ${object}`));

  it('returns every pair if the budget allows, positives first', () => {
    const given = positives(3, 4);
    const pairs = samplePairs(randomStream(1), 4, given, 100);
    assert.deepEqual(pairs.slice(0, 3), given);
    assert.equal(pairs.length, 12);
    assert.equal(keys(pairs).size, 12);
    assert.ok(pairs.every(({ subject, object }) => subject !== object && subject < 4 && object! < 4));
    assert.ok(pairs.slice(3).every(({ predicates }) => predicates.length === 0));
  });

  it('adds true negatives up to the budget', () => {
    for (const objects of [11, 25, 300]) {
      const given = positives(30, objects);
      const pairs = samplePairs(randomStream(2, objects), objects, given, 100);
      assert.equal(pairs.length, 100);
      assert.equal(keys(pairs).size, 100);
      assert.deepEqual(pairs.slice(0, 30), given);
      assert.ok(pairs.every(({ subject, object }) => subject !== object && subject < objects && object! < objects));
    }
  });

  it('draws uniformly from the positives if they exceed the budget', () => {
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

  it('draws uniformly from the negatives, also when few are left', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 3000; seed++)
      for (const key of keys(samplePairs(randomStream(4, seed), 6, positives(2, 6), 4).slice(2)))
        counts.set(key, (counts.get(key) ?? 0) + 1);
    assert.equal(counts.size, 28);
    for (const [key, count] of counts) assert.ok(count > 150 && count < 280, `${key}: ${count} of about 214`);
  });

  it('adds negatives next to a relation of an object with itself and one without an object', () => {
    const given = [
      { subject: 0, object: 0, predicates: ['wash'] },
      { subject: 1, object: null, predicates: ['walk'] },
      { subject: 2, object: 1, predicates: ['ride'] },
    ];
    const pairs = samplePairs(randomStream(7), 3, given, 100);
    assert.deepEqual(pairs.slice(0, 3), given);
    assert.deepEqual([...keys(pairs.slice(3))].sort(), ['0 1', '0 2', '1 0', '1 2', '2 0']);
  });

  it('handles one object and thousands', () => {
    assert.deepEqual(samplePairs(randomStream(5), 1, [], 100), []);
    assert.equal(samplePairs(randomStream(5), 30_000, positives(5, 30_000), 100).length, 100);
  });
});
