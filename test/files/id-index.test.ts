import assert from 'node:assert/strict';
import { IdIndex } from '../../src/files/spools/id-index.js';

describe('IdIndex', () => {
  it('assigns ordinals to ids in the order in which they are added', () => {
    const ids = [5, -5, 0, '5', 'a', 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 32, 2 ** 32 + 5, '__proto__'];
    const index = new IdIndex();
    assert.deepEqual(
      ids.map((id) => index.add(id)),
      ids.map((_, i) => i),
    );
    assert.deepEqual(
      ids.map((id) => index.get(id)),
      ids.map((_, i) => i),
    );
    assert.equal(index.size, ids.length);
    assert.equal(index.add(5), undefined);
    assert.equal(index.add('5'), undefined);
    assert.equal(index.get(6), undefined);
    assert.equal(index.get('6'), undefined);
    assert.equal(index.size, ids.length);
  });

  it('holds many ids that are multiples of any number', () => {
    for (const step of [1, 7, 1024, 2 ** 20, 2 ** 32]) {
      const index = new IdIndex();
      for (let i = 0; i < 100_000; i++) assert.equal(index.add(i * step), i);
      for (let i = 0; i < 100_000; i++) assert.equal(index.get(i * step), i);
      assert.equal(index.get(-step), undefined);
    }
  });
});
