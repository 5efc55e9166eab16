import assert from 'node:assert/strict';
import { randomStream } from '../../../src/training/data/random-stream.js';
import { WeightedSampler } from '../../../src/training/data/weighted-sampler.js';

describe('WeightedSampler', () => {
  const names = new WeightedSampler(
    new Map([
      ['often', 6],
      ['seldom', 3],
      ['once', 1],
      ['never', 0],
    ]),
  );

  it('draws names by frequency and without replacement', () => {
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

  it('stops when no names are left, and never draws excluded names', () => {
    assert.deepEqual(names.draw(randomStream(1), 500).sort(), ['often', 'once', 'seldom']);
    assert.deepEqual(names.draw(randomStream(1), 500, ['often', 'often', 'unknown']).sort(), ['once', 'seldom']);
    assert.deepEqual(new WeightedSampler(new Map()).draw(randomStream(1), 5), []);
    assert.deepEqual(new WeightedSampler(new Map([['a', 1]])).draw(randomStream(1), 5), ['a']);
  });
});
