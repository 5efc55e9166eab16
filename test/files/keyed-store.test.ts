import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { KeyedStore } from '../../src/files/spools/keyed-store.js';
import { temporaryFolder } from '../support/folders.js';

describe('KeyedStore', () => {
  it('returns the payloads of an id in the order in which they were added', async () => {
    const tempDir = temporaryFolder();
    const store = await KeyedStore.create(tempDir);
    const ids = [3, 'a', 3, 9, 'a', '3', 3];
    for (const [i, id] of ids.entries()) store.put(id, Buffer.from(i === 3 ? '' : `${i} ${id} ${'é'.repeat(i)}`));
    await store.seal();
    const got = async (id: number | string) => (await store.get(id)).map((payload) => payload.toString());
    assert.deepEqual(await got(3), ['0 3 ', '2 3 éé', '6 3 éééééé']);
    assert.deepEqual(await got('a'), ['1 a é', '4 a éééé']);
    assert.deepEqual(await got('3'), ['5 3 ééééé']);
    assert.deepEqual(await got(9), ['']);
    assert.deepEqual(await got(4), []);
    await store.close();
    assert.deepEqual(readdirSync(tempDir), []);
  });

  it('holds many and large payloads, and allows overlapping reads', async () => {
    const store = await KeyedStore.create(temporaryFolder());
    for (let i = 0; i < 9_000; i++) {
      store.put(i % 3_000, Buffer.from(`${i}${'-'.repeat(i % 1000 === 0 ? 100_000 : 50)}`));
      if (i % 100 === 0) await store.flush();
    }
    await store.seal();
    const all = await Promise.all(Array.from({ length: 3_000 }, (_, id) => store.get(id)));
    for (const [id, payloads] of all.entries()) {
      assert.deepEqual(
        payloads.map((p) => Number.parseInt(p.toString(), 10)),
        [id, id + 3_000, id + 6_000],
      );
    }
    await store.close();
  });

  it('distinguishes ids with equal hashes', async () => {
    const store = await KeyedStore.create(temporaryFolder());
    const [one, other] = [1485363971241, 58388654197253];
    for (const id of [one, other, one]) store.put(id, Buffer.from(`${id}`));
    store.put('between', Buffer.alloc(100_000));
    store.put(one, Buffer.from('last'));
    await store.seal();
    const got = async (id: number | string) => (await store.get(id)).map((payload) => payload.toString());
    assert.deepEqual(await got(one), [`${one}`, `${one}`, 'last']);
    assert.deepEqual(await got(other), [`${other}`]);
    assert.deepEqual(await got(`${one}`), []);
    await store.close();
  });

  it('can be empty', async () => {
    const store = await KeyedStore.create(temporaryFolder());
    await store.seal();
    assert.deepEqual(await store.get(1), []);
    await store.close();
  });
});
