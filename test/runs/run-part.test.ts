import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  finishRun,
  Graph,
  type ImageRecord,
  operator,
  RecordError,
  type Related,
  RunFolder,
  run,
  runPart,
  sceneGraphs,
} from '../../src/index.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { images, memorySource } from '../support/records.js';

const COUNT = 95;

function graphOf(name = 'relate'): Graph {
  const relate = operator<ImageRecord, Related>({
    name,
    version: '1',
    needs: ['image'],
    adds: ['relations', 'tagger'],
    concurrency: 4,
    apply: async ({ image }) => {
      if (Number(image.id) % 10 === 0) throw new RecordError('tenth', `image ${image.id} is rejected`);
      return { relations: [], tagger: null };
    },
  });
  const graph = new Graph('test');
  graph
    .from(memorySource([{ rejects: [{ reason: 'malformed-image', message: 'no id' }] }, ...images(COUNT - 1)]))
    .pipe(relate)
    .to(sceneGraphs());
  return graph;
}

describe('runPart', () => {
  const shardRecords = 10;
  let expected: Record<string, string>;

  before(async () => {
    const out = join(temporaryFolder(), 'out');
    await run(graphOf(), { out, shardRecords });
    expected = digests(out);
  });

  it('processes every n-th shard; the parts in any order give the bytes of one process', async () => {
    const out = join(temporaryFolder(), 'out');
    const results = [];
    for (const part of [3, 1, 2]) results.push(await runPart(graphOf(), { out, shardRecords, part, parts: 3 }));
    assert.deepEqual(
      results.map(({ finished, shards, skipped, records }) => [finished, shards, skipped, records]),
      [
        [true, 3, 0, 30],
        [true, 4, 0, 35],
        [true, 3, 0, 30],
      ],
    );
    const { records } = await finishRun(graphOf(), new RunFolder(out));
    assert.equal(records, COUNT);
    assert.deepEqual(digests(out), expected);
    await finishRun(graphOf(), new RunFolder(out));
    assert.deepEqual(digests(out), expected);
  });

  it('runs at the same time as other parts, two of them the same part', async () => {
    const out = join(temporaryFolder(), 'out');
    await Promise.all([1, 2, 2].map((part) => runPart(graphOf(), { out, shardRecords, part, parts: 2 })));
    await finishRun(graphOf(), new RunFolder(out));
    assert.deepEqual(digests(out), expected);
  });

  it('names the missing shards and does not finish without them', async () => {
    const out = join(temporaryFolder(), 'out');
    const folder = new RunFolder(out);
    const stop = new AbortController();
    const stopped = await runPart(graphOf(), {
      out,
      shardRecords,
      part: 1,
      parts: 1,
      stop: stop.signal,
      onProgress: ({ shards }) => shards === 2 && stop.abort(),
    });
    assert.equal(stopped.finished, false);
    await assert.rejects(finishRun(graphOf(), folder), {
      message: `${out}: cannot be finished: no part has reached the end of the input yet`,
    });
    await runPart(graphOf(), { out, shardRecords, part: 2, parts: 2 });
    await assert.rejects(finishRun(graphOf(), folder), /cannot be finished: \d of 10 shards are missing: (\d, )*8$/);
    assert.ok(!existsSync(join(out, 'manifest.json')));
    const { skipped, shards } = await runPart(graphOf(), { out, shardRecords, part: 1, parts: 1 });
    assert.ok(skipped >= 7 && shards > 0);
    assert.equal(skipped + shards, 10);
    await finishRun(graphOf(), folder);
    assert.deepEqual(digests(out), expected);
  });

  it('finds a shard that does not match its marker', async () => {
    const out = join(temporaryFolder(), 'out');
    await runPart(graphOf(), { out, shardRecords, part: 1, parts: 1 });
    const file = join(out, 'scene-graphs/00004.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"id":41', '"id":14'));
    await assert.rejects(
      finishRun(graphOf(), new RunFolder(out)),
      /00004\.jsonl: does not match the checksum in its marker; remove/,
    );
    rmSync(join(out, '.relflow/shards/00004.json'));
    await runPart(graphOf(), { out, shardRecords, part: 1, parts: 1 });
    await finishRun(graphOf(), new RunFolder(out));
    assert.deepEqual(digests(out), expected);
  });

  it('rejects a part of another run and a part out of range', async () => {
    const out = join(temporaryFolder(), 'out');
    await runPart(graphOf(), { out, shardRecords, part: 1, parts: 2 });
    await assert.rejects(runPart(graphOf('other'), { out, shardRecords, part: 2, parts: 2 }), {
      message: `${out}: cannot join the run: the pipeline or its options differ, starting with 'other'`,
    });
    await assert.rejects(runPart(graphOf(), { out, shardRecords: 20, part: 2, parts: 2 }), {
      message: `${out}: cannot join the run: its shards have other sizes or another compression`,
    });
    await assert.rejects(runPart(graphOf(), { out, shardRecords, part: 3, parts: 2 }), {
      message: 'run: part 3 of 2, expected whole numbers of at least 1, and a part of at most 2',
    });
  });
});
