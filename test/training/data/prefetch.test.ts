import assert from 'node:assert/strict';
import { prefetch } from '../../../src/training/data/prefetch.js';

describe('prefetch', () => {
  const doubled = async (item: number) => 2 * item;

  it('yields results in order, and then the error', async () => {
    async function* three() {
      yield 1;
      yield 2;
      throw new Error('third');
    }
    const seen: number[] = [];
    await assert.rejects(async () => {
      for await (const item of prefetch(three(), 2, doubled)) seen.push(item);
    }, /third/);
    assert.deepEqual(seen, [2, 4]);
  });

  it('starts at most `depth` items ahead, and waits for those in flight when it ends', async () => {
    let ended = 0;
    async function* endless() {
      try {
        for (let k = 0; ; k++) yield k;
      } finally {
        ended++;
      }
    }
    const [started, done] = [[] as number[], [] as number[]];
    const work = async (item: number) => {
      started.push(item);
      await new Promise((resolve) => setTimeout(resolve, 10 - item));
      done.push(item);
      return item;
    };
    const items = prefetch(endless(), 3, work);
    assert.deepEqual(await items.next(), { done: false, value: 0 });
    assert.deepEqual(started, [0, 1, 2, 3]);
    await items.return();
    assert.deepEqual([done.toSorted(), ended], [[0, 1, 2, 3], 1]);
  });
});
