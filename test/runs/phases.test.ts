import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { phasesOf } from '../../src/graph/engine/phases.js';
import {
  type Captioned,
  finishRun,
  Graph,
  type ImageRecord,
  operator,
  RecordError,
  type Related,
  RunFolder,
  run,
  sceneGraphs,
} from '../../src/index.js';
import { joinRun, runStateOf } from '../../src/runs/prepare-run.js';
import { processShard } from '../../src/runs/process-shard.js';
import { processSource } from '../../src/runs/process-source.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { images, memorySource } from '../support/records.js';

const never = new AbortController().signal;

/** Captions by a model, words by any machine, relations by a model; some of each refused, and two branches. */
function graphOf(): Graph {
  const describe = operator<ImageRecord, Captioned>({
    name: 'describe',
    version: '1',
    needs: ['image'],
    adds: ['captions'],
    lane: 'captions',
    concurrency: 3,
    apply: async ({ image }) => {
      if (Number(image.id) % 7 === 0) throw new RecordError('seventh', `image ${image.id} has no caption`);
      return { captions: [{ text: `image ${image.id}`, source: 'model' }] };
    },
  });
  const relate = (lane: 'cpu' | 'tagging') =>
    operator<ImageRecord & Captioned, Related>({
      name: `relate-${lane}`,
      version: '1',
      needs: ['captions'],
      adds: ['relations', 'tagger'],
      lane,
      apply: ({ image }, { count }) => {
        if (Number(image.id) % 11 === 0) throw new RecordError('eleventh', `image ${image.id} has no relation`);
        count('related');
        return { relations: [], tagger: null };
      },
    });
  const graph = new Graph('phases');
  const described = graph
    .from(memorySource(images(60)))
    .filter('not-fifth', ({ image }) => Number(image.id) % 5 !== 0)
    .pipe(describe);
  const plain = described.pipe(relate('cpu')).to(sceneGraphs('plain-graphs'));
  const tagged = described.pipe(relate('tagging')).to(sceneGraphs('tagged-graphs'));
  graph.merge(plain, tagged).to(sceneGraphs('all-graphs'));
  return graph;
}

/** The folder of a run by one process, in eight shards. */
async function runByOne(): Promise<string> {
  const out = join(temporaryFolder(), 'out');
  await run(graphOf(), { out, shardRecords: 8 });
  return out;
}

/** The same run, of which nothing is done. */
async function beginRun() {
  const out = join(temporaryFolder(), 'out');
  const folder = new RunFolder(out);
  const state = runStateOf(graphOf(), { shardRecords: 8 }, []);
  await joinRun(folder, state);
  return { out, folder, state };
}

describe('phases', () => {
  it('give each stage to the machines of its lane', () => {
    const { nodes } = graphOf();
    const { lanes, phaseOf: of } = phasesOf(nodes);
    assert.deepEqual(lanes, ['source', 'captions', 'cpu', 'tagging']);
    assert.deepEqual(Object.fromEntries(nodes.map((node) => [node.id, lanes[of.get(node)!]])), {
      memory: 'source',
      'not-fifth': 'source',
      describe: 'captions',
      'relate-cpu': 'cpu',
      'plain-graphs': 'cpu',
      'relate-tagging': 'tagging',
      'tagged-graphs': 'tagging',
      merge: 'tagging',
      'all-graphs': 'tagging',
    });
  });

  it('leave nothing for the first machine but the sources where there are no stages', () => {
    const graph = new Graph('copy');
    graph.from(memorySource(images(1))).to({ name: 'copies', version: '1', needs: [], line: (record) => record });
    assert.deepEqual(phasesOf(graph.nodes).lanes, ['source', 'cpu']);
  });

  it('one after another, each by another process, write what one process writes', async () => {
    const whole = await runByOne();
    const { out, folder, state } = await beginRun();
    const waiting: { shard: number; phase: number }[] = [];
    const read = () =>
      processSource(graphOf(), folder, state, {
        signal: never,
        onShard: async (shard, phase) => {
          waiting.push({ shard, phase });
        },
      });
    assert.equal(await read(), 60);
    assert.deepEqual(
      waiting,
      Array.from({ length: 8 }, (_, shard) => ({ shard, phase: 1 })),
    );
    const [first] = waiting;
    assert.deepEqual(await processShard(graphOf(), folder, state, first!, { signal: never }), {
      status: 'next-phase',
      phase: 2,
      records: 8,
    });
    // Read again, everything is there; the first shard waits for what comes next.
    waiting.length = 0;
    assert.equal(await read(), 60);
    assert.deepEqual(
      [...waiting].sort((a, b) => a.shard - b.shard).map(({ phase }) => phase),
      [2, 1, 1, 1, 1, 1, 1, 1],
    );
    for (let job = waiting.pop(); job; job = waiting.pop()) {
      const result = await processShard(graphOf(), folder, state, job, { signal: never });
      if (result.status === 'next-phase') waiting.push({ shard: job.shard, phase: result.phase });
      else assert.equal(result.status, 'completed');
      // The same job again finds that it is done.
      const again = await processShard(graphOf(), folder, state, job, { signal: never });
      assert.equal(again.status, result.status === 'next-phase' ? 'next-phase' : 'already-complete');
    }
    assert.deepEqual(readdirSync(join(out, '.relflow/work')), []);
    // A process was killed while it wrote a mark.
    writeFileSync(join(out, '.relflow/shards/00003.json.1634628530'), '');
    await finishRun(graphOf(), folder);
    assert.deepEqual(digests(out), digests(whole));
  });

  it('go on at once where whoever read a shard does it', async () => {
    const whole = await runByOne();
    const { out, folder, state } = await beginRun();
    const waiting: { shard: number; phase: number }[] = [];
    /** @param broken a shard that fails on its way */
    const read = async (broken: number, without: number) => {
      let asked = 0;
      return processSource(graphOf(), folder, state, {
        signal: never,
        onShard: async (shard, phase) => void waiting.push({ shard, phase }),
        inline: {
          isPreferred: async () => asked++ !== without,
          process: async (shard, items) => {
            const onRecord = () => assert.notEqual(shard, broken, 'broken on the way');
            const job = { shard, phase: 1 };
            const result = await processShard(graphOf(), folder, state, job, { signal: never, items, onRecord });
            if (result.status === 'next-phase') waiting.push({ shard, phase: result.phase });
          },
        },
      });
    };
    await assert.rejects(read(4, 2), /broken on the way/);
    assert.deepEqual(
      // Two shards are written at the same time, so either may end first.
      waiting.map(({ shard, phase }) => [shard, phase]).sort(),
      [
        [0, 2],
        [1, 2],
        [2, 1],
        [3, 2],
      ],
    );
    // Read again, only what is missing is done.
    waiting.length = 0;
    assert.equal(await read(-1, -1), 60);
    assert.deepEqual(waiting.map(({ shard, phase }) => [shard, phase]).sort(), [
      [0, 2],
      [1, 2],
      [2, 1],
      [3, 2],
      [4, 2],
      [5, 2],
      [6, 2],
      [7, 2],
    ]);
    for (let job = waiting.pop(); job; job = waiting.pop()) {
      const result = await processShard(graphOf(), folder, state, job, { signal: never });
      if (result.status === 'next-phase') waiting.push({ shard: job.shard, phase: result.phase });
    }
    await finishRun(graphOf(), folder);
    assert.deepEqual(digests(out), digests(whole));
  });

  it('read the next shard while one is written by whoever reads, and no further', async () => {
    const { folder, state } = await beginRun();
    const [inWork, most, read]: [Set<number>, number[], number[]] = [new Set(), [], []];
    const work = async (shard: number, items: AsyncIterable<unknown>) => {
      inWork.add(shard);
      for await (const _ of items) read.push(shard);
      most.push(inWork.size);
      // Written only when the next one is read, as by a slow disk; the last one by itself.
      while (most.length < shard + 2 && shard < 7) await new Promise(setImmediate);
      inWork.delete(shard);
    };
    const inline = { isPreferred: async () => true, process: work };
    assert.equal(await processSource(graphOf(), folder, state, { signal: never, onShard: async () => {}, inline }), 60);
    assert.deepEqual(most, [1, 2, 2, 2, 2, 2, 2, 2]);
    assert.deepEqual([...new Set(read)], [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('leave a finished run as it is where a process was cut off and comes late', async () => {
    const whole = await runByOne();
    const { out, folder, state } = await beginRun();
    /** What everybody else does meanwhile: all that there is to do. */
    const others = async () => {
      const waiting: { shard: number; phase: number }[] = [];
      const onShard = async (shard: number, phase: number) => void waiting.push({ shard, phase });
      await processSource(graphOf(), folder, state, { signal: never, onShard });
      for (let job = waiting.pop(); job; job = waiting.pop()) {
        const result = await processShard(graphOf(), folder, state, job, { signal: never });
        if (result.status === 'next-phase') waiting.push({ shard: job.shard, phase: result.phase });
      }
      await finishRun(graphOf(), folder);
    };
    const late: number[] = [];
    const onShard = async (shard: number) => {
      late.push(shard);
      if (shard === 1) await others();
    };
    assert.equal(await processSource(graphOf(), folder, state, { signal: never, onShard }), 60);
    assert.deepEqual(late, [0, 1]);
    // What a late process has just made goes with it, when it ends.
    mkdirSync(join(out, '.relflow/work'));
    writeFileSync(join(out, '.relflow/work/00002.1.jsonl.partial'), '');
    assert.deepEqual(await processShard(graphOf(), folder, state, { shard: 2, phase: 1 }, { signal: never }), {
      status: 'already-complete',
    });
    assert.deepEqual(digests(out), digests(whole));
    assert.ok(!existsSync(join(out, '.relflow/work')));
  });

  it('end with an error where what a shard waits with is gone or cut off', async () => {
    const { out, folder, state } = await beginRun();
    mkdirSync(join(out, '.relflow/work'));
    await assert.rejects(
      processShard(graphOf(), folder, state, { shard: 3, phase: 1 }, { signal: never }),
      /00003\.1\.jsonl: no such file/,
    );
  });
});
