import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { GroupSpool, spoolPayloadLength } from '../../src/files/spools/group-spool.js';
import { temporaryFolder } from '../support/folders.js';

/** A seeded generator of whole numbers below `bound`. */
function seededNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

async function addAll(spool: GroupSpool, groups: readonly number[], payload: (i: number) => Uint8Array): Promise<void> {
  for (const [i, group] of groups.entries()) {
    spool.append(group, payload(i));
    if (i % 20 === 0) await spool.flush();
  }
}

async function readAll(spool: GroupSpool): Promise<[number, string[], boolean][]> {
  const found: [number, string[], boolean][] = [];
  for await (const { number, view, starts, cut } of spool.groups()) {
    const payloads = [...starts].map((at) => Buffer.from(view.buffer, at, spoolPayloadLength(view, at)).toString());
    found.push([number, payloads, cut]);
  }
  return found;
}

function expected(groups: readonly number[], payload: (i: number) => Uint8Array): [number, string[], boolean][] {
  const byGroup = new Map<number, string[]>();
  for (const [i, group] of groups.entries()) {
    byGroup.set(group, [...(byGroup.get(group) ?? []), payload(i).toString()]);
  }
  return [...byGroup].sort(([a], [b]) => a - b).map(([group, payloads]) => [group, payloads, false]);
}

describe('GroupSpool', () => {
  const next = seededNumbers(1);
  const groups = Array.from({ length: 1000 }, () => (next(3) === 0 ? next(20_000) : next(50)));
  const payload = (i: number) => Buffer.from(`${i}:${'x'.repeat(i % 40)}`);

  for (const memoryBytes of [1, 100, 5000, 1_000_000, undefined]) {
    it(`returns groups and payloads in order with ${memoryBytes ?? 'the default number of'} bytes of memory`, async () => {
      const tempDir = temporaryFolder();
      const spool = new GroupSpool({ tempDir, ...(memoryBytes && { memoryBytes }) });
      await addAll(spool, groups, payload);
      assert.equal(readdirSync(tempDir).length, memoryBytes === undefined || memoryBytes === 1_000_000 ? 0 : 1);
      assert.deepEqual(await readAll(spool), expected(groups, payload));
      await spool.close();
      assert.deepEqual(readdirSync(tempDir), []);
    });
  }

  it('accepts empty payloads and payloads larger than a block', async () => {
    const large = (i: number) => Buffer.alloc(i % 3 === 0 ? 0 : 50_000, 97 + (i % 26));
    const few = groups.slice(0, 60);
    for (const memoryBytes of [1000, 1_000_000, 100_000_000]) {
      const spool = new GroupSpool({ tempDir: temporaryFolder(), memoryBytes });
      await addAll(spool, few, large);
      assert.deepEqual(await readAll(spool), expected(few, large));
      await spool.close();
    }
  });

  it('returns the beginning of a group that is too large', async () => {
    for (const memoryBytes of [100, 2000]) {
      const spool = new GroupSpool({ tempDir: temporaryFolder(), memoryBytes, maxGroupBytes: 500 });
      const many = Array.from({ length: 2000 }, (_, i) => (i % 100 === 0 ? 3 : 5));
      await addAll(spool, many, payload);
      const [small, large] = await readAll(spool);
      assert.equal(small?.[2], false);
      assert.equal(small?.[1].length, 20);
      assert.equal(large?.[2], true);
      assert.deepEqual(large?.[1], expected(many, payload)[1]?.[1].slice(0, large?.[1].length));
      await spool.close();
    }
  });

  it('yields no groups if nothing was added', async () => {
    const spool = new GroupSpool({ tempDir: temporaryFolder() });
    assert.deepEqual(await readAll(spool), []);
  });

  it('removes its files when the reader stops early', async () => {
    const tempDir = temporaryFolder();
    const spool = new GroupSpool({ tempDir, memoryBytes: 100 });
    await addAll(spool, groups, payload);
    for await (const _ of spool.groups()) break;
    await spool.close();
    assert.ok(existsSync(tempDir));
    assert.deepEqual(readdirSync(tempDir), []);
  });
});
