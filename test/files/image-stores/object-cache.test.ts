import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ObjectCache } from '../../../src/files/image-stores/object-cache.js';
import { temporaryFolder } from '../../support/folders.js';

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? join(entry.parentPath, entry.name) : [],
  );

describe('ObjectCache', () => {
  it('stays within its size, and keeps what was used last', async () => {
    const folder = temporaryFolder();
    const cache = new ObjectCache(folder, 10_000);
    for (let k = 0; k < 8; k++) await cache.put(`old ${k}`, Buffer.alloc(1000, k));
    const old = new Date(Date.now() - 1e6);
    for (const file of filesIn(folder)) utimesSync(file, old, old);
    assert.equal((await cache.get('old 3'))?.[0], 3);
    for (let k = 0; k < 30; k++) {
      await new ObjectCache(folder, 10_000).put(`new ${k % 6}`, Buffer.alloc(1000, k));
      assert.ok(filesIn(folder).reduce((sum, file) => sum + statSync(file).size, 0) <= 11_500);
    }
    assert.equal((await cache.get('old 3'))?.[0], 3, 'used after the others');
    assert.equal(await cache.get('old 4'), null);
  });

  it('serves many at once, and removes what killed processes left', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'partial'));
    const left = join(folder, 'partial', 'left');
    writeFileSync(left, 'half');
    utimesSync(left, new Date(0), new Date(0));
    const caches = Array.from({ length: 4 }, () => new ObjectCache(folder, 20_000));
    await Promise.all(
      Array.from({ length: 200 }, async (_, k) => {
        const key = String(k % 25);
        const cache = caches[k % 4] as ObjectCache;
        const found = await cache.get(key);
        if (found) assert.deepEqual(found, Buffer.alloc(900, k % 25));
        else await cache.put(key, Buffer.alloc(900, k % 25));
      }),
    );
    assert.deepEqual(readdirSync(join(folder, 'partial')), []);
  });

  it('warns once if it cannot be written, and fails nothing', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const cache = new ObjectCache(join(file, 'cache'), 10_000);
    await cache.put('a', Buffer.alloc(10));
    await cache.put('b', Buffer.alloc(10));
    assert.equal(await cache.get('a'), null);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    assert.match(warnings.map(({ message }) => message).join('\n'), /^the image cache .* cannot be used: [^\n]*$/);
  });
});
