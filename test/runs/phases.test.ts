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

/** Graph with two branches and three lanes: captions, cpu and tagging. Each stage rejects some records. */
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

/** Runs the graph in one process, in eight shards; returns the folder. */
async function runByOne(): Promise<string> {
  const out = join(temporaryFolder(), 'out');
  await run(graphOf(), { out, shardRecords: 8 });
  return out;
}

/** Starts the same run without processing anything. */
async function startRun() {
  const out = join(temporaryFolder(), 'out');
  const folder = new RunFolder(out);
  const state = runStateOf(graphOf(), { shardRecords: 8 }, []);
  await joinRun(folder, state);
  return { out, folder, state };
}

describe('phases', () => {
  it('assign each stage to the machines of its lane', () => {
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

  it('leave only the sources to the first machine when the graph has no stages', () => {
    const graph = new Graph('copy');
    graph.from(memorySource(images(1))).to({ name: 'copies', version: '1', needs: [], line: (record) => record });
    assert.deepEqual(phasesOf(graph.nodes).lanes, ['source', 'cpu']);
  });

  it('processed one after another by different processes write the same bytes as one process', async () => {
    const expected = await runByOne();
    const { out, folder, state } = await startRun();
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
    // A second reading writes nothing; the first shard waits for its next phase.
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
      // The same job again finds that its work is done.
      const again = await processShard(graphOf(), folder, state, job, { signal: never });
      assert.equal(again.status, result.status === 'next-phase' ? 'next-phase' : 'already-complete');
    }
    assert.deepEqual(readdirSync(join(out, '.relflow/work')), []);
    // A process was killed while it was writing a marker.
    writeFileSync(join(out, '.relflow/shards/00003.json.1634628530'), '');
    await finishRun(graphOf(), folder);
    assert.deepEqual(digests(out), digests(expected));
  });

  it('continue inline in the process that has read the shard', async () => {
    const expected = await runByOne();
    const { out, folder, state } = await startRun();
    const waiting: { shard: number; phase: number }[] = [];
    /**
     * @param broken shard that fails while it is processed
     * @param without shard that is not processed inline
     */
    const read = async (broken: number, without: number) => {
      let asked = 0;
      return processSource(graphOf(), folder, state, {
        signal: never,
        onShard: async (shard, phase) => void waiting.push({ shard, phase }),
        inline: {
          isPreferred: async () => asked++ !== without,
          process: async (shard, items) => {
            const onRecord = () => assert.notEqual(shard, broken, 'broken while processed');
            const job = { shard, phase: 1 };
            const result = await processShard(graphOf(), folder, state, job, { signal: never, items, onRecord });
            if (result.status === 'next-phase') waiting.push({ shard, phase: result.phase });
          },
        },
      });
    };
    await assert.rejects(read(4, 2), /broken while processed/);
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
    // A second reading processes only the missing shards.
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
    assert.deepEqual(digests(out), digests(expected));
  });

  it('read one shard ahead while an inline one is being written, and not more', async () => {
    const { folder, state } = await startRun();
    const [inWork, most, read]: [Set<number>, number[], number[]] = [new Set(), [], []];
    const work = async (shard: number, items: AsyncIterable<unknown>) => {
      inWork.add(shard);
      for await (const _ of items) read.push(shard);
      most.push(inWork.size);
      // Ends only after the next shard has been read, as with a slow disk.
      while (most.length < shard + 2 && shard < 7) await new Promise(setImmediate);
      inWork.delete(shard);
    };
    const inline = { isPreferred: async () => true, process: work };
    assert.equal(await processSource(graphOf(), folder, state, { signal: never, onShard: async () => {}, inline }), 60);
    assert.deepEqual(most, [1, 2, 2, 2, 2, 2, 2, 2]);
    assert.deepEqual([...new Set(read)], [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('leave a finished run unchanged when a process that lost its connection returns late', async () => {
    const expected = await runByOne();
    const { out, folder, state } = await startRun();
    /** Processes the whole run, as other workers do meanwhile. */
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
    // The files that a late process has made are removed when it ends.
    mkdirSync(join(out, '.relflow/work'));
    writeFileSync(join(out, '.relflow/work/00002.1.jsonl.partial'), '');
    assert.deepEqual(await processShard(graphOf(), folder, state, { shard: 2, phase: 1 }, { signal: never }), {
      status: 'already-complete',
    });
    assert.deepEqual(digests(out), digests(expected));
    assert.ok(!existsSync(join(out, '.relflow/work')));
  });

  it('end with an error when a work file is missing', async () => {
    const { out, folder, state } = await startRun();
    mkdirSync(join(out, '.relflow/work'));
    await assert.rejects(
      processShard(graphOf(), folder, state, { shard: 3, phase: 1 }, { signal: never }),
      /00003\.1\.jsonl: no such file/,
    );
  });
});
