import assert from 'node:assert/strict';
import { concat, interval, map, Observable, of, range, take, throwError } from 'rxjs';
import type { ImageRecord } from '../../src/records/image.js';
import { fromIterable } from '../../src/sources/from-iterable.js';
import { readSource, sourceContext } from '../support/read-source.js';

function record(id: number): ImageRecord {
  const image = { id, file: `${id}.jpg`, width: 1, height: 1, dataset: 'd', split: '' };
  return { image, detections: [], origin: { source: 'test', file: '' } };
}

const adds = ['image', 'detections', 'origin'] as const;
const idsOf = (records: readonly ImageRecord[]) => records.map(({ image }) => image.id);

describe('fromIterable', () => {
  it('yields the records of an iterable and of an async iterable', async () => {
    const source = fromIterable('mine', adds, [record(1), record(2)]);
    assert.equal(source.name, 'mine');
    assert.deepEqual(await source.files(), []);
    const { records, progress } = await readSource(source);
    assert.deepEqual(idsOf(records), [1, 2]);
    assert.deepEqual(progress.at(-1), { phase: 'records', done: 2, total: 2 });
    assert.deepEqual(idsOf((await readSource(source)).records), [1, 2]);
    async function* later() {
      yield record(3);
      yield record(4);
    }
    const lazy = await readSource(fromIterable('mine', adds, later()));
    assert.deepEqual(idsOf(lazy.records), [3, 4]);
    assert.equal(lazy.progress.at(-1)?.total, null);
  });

  it('yields the records that an Observable emits synchronously or later, and subscribes at each reading', async () => {
    const many = fromIterable('mine', adds, range(0, 50_000).pipe(map(record)));
    assert.deepEqual(
      idsOf((await readSource(many)).records),
      Array.from({ length: 50_000 }, (_, i) => i),
    );
    assert.equal((await readSource(many)).records.length, 50_000);
    const slow = fromIterable('mine', adds, interval(1).pipe(take(3), map(record)));
    assert.deepEqual(idsOf((await readSource(slow)).records), [0, 1, 2]);
    assert.deepEqual((await readSource(fromIterable('mine', adds, of<ImageRecord>()))).records, []);
  });

  it('throws the error of an Observable after the records that it emitted', async () => {
    const failing = fromIterable(
      'mine',
      adds,
      concat(
        of(record(1)),
        throwError(() => new Error('broken')),
      ),
    );
    const found: number[] = [];
    await assert.rejects(
      async () => {
        for await (const { record } of failing.read(sourceContext())) found.push(record?.image.id as number);
      },
      { message: 'broken' },
    );
    assert.deepEqual(found, [1]);
  });

  it('unsubscribes when its consumer stops early or is aborted', async () => {
    let subscribed = 0;
    const endless = new Observable<ImageRecord>((subscriber) => {
      subscribed++;
      subscriber.next(record(1));
      return () => subscribed--;
    });
    const source = fromIterable('mine', adds, endless);
    for await (const _ of source.read(sourceContext())) break;
    assert.equal(subscribed, 0);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 5);
    await assert.rejects(
      async () => {
        for await (const _ of source.read(sourceContext(stop.signal)));
      },
      { message: 'enough' },
    );
    assert.equal(subscribed, 0);
  });

  it('throws an OptionError for anything else', () => {
    for (const records of [{}, 'text', null, undefined, 5]) {
      assert.throws(() => fromIterable('mine', adds, records as never), {
        message: 'mine: expected an iterable, an async iterable or an Observable',
      });
    }
  });
});
