import assert from 'node:assert/strict';
import { randomStream } from '../../../src/training/data/random-stream.js';
import { shuffleStream } from '../../../src/training/data/shuffle-stream.js';
import { collect } from '../../support/records.js';

describe('shuffleStream', () => {
  async function* count(end: number) {
    for (let k = 0; k < end; k++) yield k;
  }

  it('yields each item once with any size of the buffer, in the same order for the same seed', async () => {
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

  it('reads no more items ahead than the buffer holds', async () => {
    let read = 0;
    async function* watched() {
      for (; read < 100; ) yield read++;
    }
    const stream = shuffleStream(watched(), 8, randomStream(2));
    await stream.next();
    assert.ok(read <= 10, `${read} read for the first`);
    await stream.return(undefined);
  });

  it('can move every item to every position', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++)
      for (const [position, item] of (await collect(shuffleStream(count(4), 4, randomStream(seed)))).entries())
        seen.add(`${position} ${item}`);
    assert.equal(seen.size, 16);
  });
});
