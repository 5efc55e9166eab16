import assert from 'node:assert/strict';
import { drawWithoutReplacement } from '../../../src/training/data/draw-without-replacement.js';
import { randomStream } from '../../../src/training/data/random-stream.js';

describe('randomStream', () => {
  it('depends on every key, and similar keys give unrelated numbers', () => {
    const first = (...keys: number[]) => randomStream(...keys).next();
    assert.equal(first(1, 2, 3), first(1, 2, 3));
    const values = [first(1, 2, 3), first(1, 2, 4), first(1, 3, 3), first(2, 2, 3), first(0, 0, 0), first(0, 0, 256)];
    assert.equal(new Set(values).size, values.length);
    const mean = Array.from({ length: 1000 }, (_, k) => first(9, 1, k)).reduce((sum, value) => sum + value, 0) / 1000;
    assert.ok(Math.abs(mean - 0.5) < 0.03, `mean ${mean}`);
    assert.equal(new Set(drawWithoutReplacement(randomStream(1), [1, 2, 3, 4], 3)).size, 3);
  });
});
