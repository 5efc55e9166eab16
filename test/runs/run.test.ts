import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  exportRun,
  Graph,
  type ImageRecord,
  OutputError,
  operator,
  RecordError,
  type Related,
  RunFolder,
  run,
  type SourceItem,
  sceneGraphs,
  validateRun,
} from '../../src/index.js';
import { exportAs } from '../../src/sinks/exports/export-run.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { collect, images, memorySource } from '../support/records.js';

const relate = (concurrency = 1) =>
  operator<ImageRecord, Related>({
    name: 'relate',
    version: '1',
    needs: ['image'],
    adds: ['relations', 'tagger'],
    concurrency,
    apply: async ({ image }, { count }) => {
      const id = Number(image.id);
      if (concurrency > 1) await new Promise((resolve) => setTimeout(resolve, (id * 13) % 4));
      if (id % 10 === 0) throw new RecordError('tenth', `image ${id} is rejected`);
      count('seen');
      return { relations: [], tagger: null };
    },
  });

function graphOf(items: readonly SourceItem<ImageRecord>[], concurrency = 1): Graph {
  const graph = new Graph('test');
  graph.from(memorySource(items)).pipe(relate(concurrency)).to(sceneGraphs());
  return graph;
}

describe('run', () => {
  it('writes shards, rejects and a manifest that validate', async () => {
    const out = join(temporaryFolder(), 'out');
    const { manifest, records } = await run(graphOf(images(95)), { out, shardRecords: 20 });
    assert.equal(records, 95);
    assert.deepEqual(manifest?.stages['relate'], {
      in: 95,
      out: 86,
      filtered: 0,
      rejected: { tenth: 9 },
      counts: { seen: 86 },
    });
    assert.deepEqual(
      manifest.files.map(({ path, records: lines }) => [path, lines]),
      [0, 1, 2, 3, 4].flatMap((n) => [
        [`rejects/0000${n}.jsonl`, n === 4 ? 1 : 2],
        [`scene-graphs/0000${n}.jsonl`, n === 4 ? 14 : 18],
      ]),
    );
    assert.deepEqual(await collect(validateRun(out)), []);
    const rejects = await collect(new RunFolder(out).lines('rejects', 'reject'));
    assert.deepEqual(rejects[0], {
      format: 'relflow.reject/1',
      stage: 'relate',
      reason: 'tenth',
      message: 'image 10 is rejected',
      record: 9,
      image: 10,
    });
  });

  it('gives the same bytes whatever the concurrency', async () => {
    const folders = await Promise.all(
      [1, 3, 16].map(async (concurrency) => {
        const out = join(temporaryFolder(), 'out');
        await run(graphOf(images(300), 5), { out, shardRecords: 37, concurrency });
        return digests(out);
      }),
    );
    assert.deepEqual(folders[1], folders[0]);
    assert.deepEqual(folders[2], folders[0]);
  });

  it('also ends a shard at a size in bytes, and compresses with gzip', async () => {
    const out = join(temporaryFolder(), 'out');
    const { manifest } = await run(graphOf(images(60)), { out, shardBytes: 5000, gzip: true });
    assert.ok(manifest && manifest.files.length > 4);
    assert.ok(manifest.files.every(({ path }) => path.endsWith('.jsonl.gz')));
    assert.deepEqual(await collect(validateRun(out)), []);
  });

  it('resumes after a stop with the same bytes', async () => {
    const expected = join(temporaryFolder(), 'out');
    await run(graphOf(images(500), 4), { out: expected, shardRecords: 50 });
    const out = join(temporaryFolder(), 'out');
    const reads: number[] = [];
    for (let round = 0; ; round++) {
      const stop = new AbortController();
      const graph = graphOf(images(500), 4);
      const result = await run(graph, {
        out,
        shardRecords: 50,
        resume: round > 0,
        stop: stop.signal,
        onProgress: ({ records }) => {
          if (records >= (round + 1) * 130) stop.abort();
        },
      });
      reads.push(result.stages['relate']?.in ?? 0);
      if (result.manifest) break;
      assert.ok(round < 10);
    }
    assert.equal(reads.length, 4);
    assert.equal(
      reads.reduce((a, b) => a + b),
      500,
      'no record is processed twice',
    );
    assert.deepEqual(digests(out), digests(expected));
  });

  it('ends with the same files when it is stopped after its last record, at the end of a shard', async () => {
    const [expected, out] = [join(temporaryFolder(), 'out'), join(temporaryFolder(), 'out')];
    await run(graphOf(images(20)), { out: expected, shardRecords: 10 });
    const stop = new AbortController();
    const stopped = await run(graphOf(images(20)), {
      out,
      shardRecords: 10,
      stop: stop.signal,
      onProgress: ({ records }) => {
        if (records === 20) stop.abort();
      },
    });
    assert.deepEqual([stopped.manifest, stopped.records], [null, 20]);
    await run(graphOf(images(20)), { out, shardRecords: 10, resume: true });
    assert.deepEqual(digests(out), digests(expected));
  });

  it('keeps everything written when a stage fails, and resumes from there', async () => {
    const expected = join(temporaryFolder(), 'out');
    const out = join(temporaryFolder(), 'out');
    const broken = (breaks: boolean) => {
      const graph = new Graph('test');
      const disk = operator({
        name: 'disk',
        version: '1',
        needs: ['image'],
        adds: [],
        apply: ({ image }: ImageRecord) => {
          if (breaks && image.id === 60) throw new OutputError('disk', 'is gone');
          return {};
        },
      });
      graph
        .from(memorySource(images(100)))
        .pipe(disk)
        .pipe(relate())
        .to(sceneGraphs());
      return graph;
    };
    await assert.rejects(run(broken(true), { out, shardRecords: 25 }), { message: 'disk: is gone' });
    const { records } = (await new RunFolder(out).progress())!;
    assert.equal(records, 9, 'records 50 to 58 of the third shard');
    await run(broken(false), { out, shardRecords: 25, resume: true });
    await run(broken(false), { out: expected, shardRecords: 25 });
    assert.deepEqual(digests(out), digests(expected));
  });

  it('writes nothing when stopped while it checks inputs, and lets a resume finish when stopped while finishing', async () => {
    const [expected, out] = [join(temporaryFolder(), 'out'), join(temporaryFolder(), 'out')];
    const input = join(temporaryFolder(), 'input.json');
    writeFileSync(input, '{}');
    const made = () => {
      const graph = new Graph('test');
      const source = { ...memorySource(images(30)), files: async () => [input] };
      graph.from(source).pipe(relate()).to(sceneGraphs());
      return graph.finish(exportAs('rlipv2-paths')).finish(exportAs('page'));
    };
    const stopAt = (phase: string, resume = false) => {
      const stop = new AbortController();
      return run(made(), { out, resume, stop: stop.signal, onProgress: (at) => at.phase === phase && stop.abort() });
    };
    await assert.rejects(stopAt('checking'), { name: 'AbortError' });
    assert.ok(!existsSync(out));
    const { manifest, records } = await stopAt('finishing');
    assert.equal(manifest, null);
    assert.equal(records, 30);
    assert.ok(!existsSync(join(out, 'page.html')));
    await run(made(), { out, resume: true });
    await run(made(), { out: expected });
    assert.deepEqual(digests(out), digests(expected));
  });

  it('reports loads that later records do not change', async () => {
    const counts: number[] = [];
    const loads: Readonly<Record<string, { in: number }>>[] = [];
    await run(graphOf(images(40)), {
      out: join(temporaryFolder(), 'out'),
      onProgress: ({ stages }) => {
        loads.push(stages);
        counts.push(stages['relate']?.in ?? 0);
      },
    });
    assert.deepEqual(
      loads.map((stages) => stages['relate']?.in ?? 0),
      counts,
    );
    assert.ok(new Set(counts).size > 1);
  });

  it('rejects an export keyed by image ids of merged sets that share one, and names it', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    const graph = new Graph('both');
    const [one, other] = [images(3), images(2, 3)].map((items) => graph.from(memorySource(items)));
    graph.merge(one!, other!).pipe(relate()).to(sceneGraphs());
    await run(graph, { out });
    const file = join(folder, 'paths.json');
    await assert.rejects(exportRun(new RunFolder(out), 'rlipv2-paths', file), {
      name: 'OutputError',
      message: `${file}: the image id 3 occurs twice, in 'test' and 'test', expected unique ids as keys; run and export each data set separately`,
    });
    assert.ok(!existsSync(file));
    await exportRun(new RunFolder(out), 'rlipv2', file);
  });

  it('sends a record to each branch, and each sink has its own folder', async () => {
    const out = join(temporaryFolder(), 'out');
    const graph = new Graph('branches');
    const flow = graph.from(memorySource(images(20))).pipe(relate());
    flow.to(sceneGraphs());
    flow.filter('odd', ({ image }) => Number(image.id) % 2 === 1).to(sceneGraphs('odd-graphs'));
    const { manifest } = await run(graph, { out });
    assert.deepEqual(
      manifest?.files.map(({ path, records }) => [path, records]),
      [
        ['odd-graphs/00000.jsonl', 10],
        ['rejects/00000.jsonl', 2],
        ['scene-graphs/00000.jsonl', 18],
      ],
    );
    assert.equal(manifest.stages['odd']?.filtered, 8);
    const [first] = await collect(new RunFolder(out).lines('odd-graphs', 'scene-graph'));
    assert.deepEqual(
      first?.provenance.operators.map(({ name }) => name),
      ['memory', 'relate', 'odd'],
    );
  });

  it('rejects records that do not fit the schema, with the reason', async () => {
    const out = join(temporaryFolder(), 'out');
    const items = images(2);
    items[1] = { record: { ...items[1]!.record!, image: { ...items[1]!.record!.image, width: 0 } } };
    await run(graphOf(items), { out });
    const [reject] = await collect(new RunFolder(out).lines('rejects', 'reject'));
    assert.equal(reject?.message, 'the record does not fit scene-graph: /image/width must be >= 1');
    assert.equal(reject?.reason, 'schema');
  });

  it('includes the rejects and counts of a source', async () => {
    const out = join(temporaryFolder(), 'out');
    const rejected = { rejects: [{ reason: 'malformed-image', message: 'no width' }], counts: { crowd: 2 } };
    const { manifest } = await run(graphOf([rejected, ...images(1)]), { out });
    const expected = { in: 2, out: 1, filtered: 0, rejected: { 'malformed-image': 1 }, counts: { crowd: 2 } };
    assert.deepEqual(manifest?.stages['memory'], expected);
  });

  it('rejects the folder of another run, a folder with other files, and a changed pipeline', async () => {
    const out = join(temporaryFolder(), 'out');
    await run(graphOf(images(3)), { out });
    const again = 'already contains a run; continue it with `relflow resume`, or replace it with --overwrite';
    await assert.rejects(run(graphOf(images(3)), { out }), { message: `${out}: ${again}` });
    await run(graphOf(images(4)), { out, overwrite: true });
    const other = new Graph('test');
    other
      .from(memorySource(images(3)))
      .pipe(relate())
      .filter('more', () => true)
      .to(sceneGraphs());
    await assert.rejects(
      run(other, { out, resume: true }),
      /cannot resume the run: the pipeline or its options differ, starting with 'more'/,
    );
    const mine = temporaryFolder();
    writeFileSync(join(mine, 'thesis.txt'), 'important');
    await assert.rejects(
      run(graphOf(images(3)), { out: mine, overwrite: true }),
      /not empty and contains no run of relflow/,
    );
    assert.ok(existsSync(join(mine, 'thesis.txt')));
    await assert.rejects(
      run(graphOf(images(3)), { out: join(mine, 'none'), resume: true }),
      /contains no run to resume/,
    );
    await assert.rejects(run(graphOf(images(3)), { out: join(mine, 'thesis.txt', 'x') }), OutputError);
  });

  it('writes a record to all of its files or to none when a write fails', async () => {
    const out = join(temporaryFolder(), 'out');
    const graph = () => {
      const made = new Graph('test');
      // No record before 300 is rejected, so that the file of rejects is created after the stop.
      const items = images(400).map((item, index) => (index < 300 ? images(1, index * 10 + 1)[0]! : item));
      const flow = made.from(memorySource(items));
      flow.pipe(relate()).to(sceneGraphs());
      flow.pipe(relate()).to(sceneGraphs('again'));
      return made;
    };
    const expected = join(temporaryFolder(), 'out');
    await run(graph(), { out: expected });
    const stop = new AbortController();
    await run(graph(), { out, stop: stop.signal, onProgress: ({ records }) => records >= 5 && stop.abort() });
    const done = (await new RunFolder(out).progress())!.records;
    assert.ok(done < 300);
    mkdirSync(join(out, '.relflow/partial/rejects.jsonl'));
    await assert.rejects(run(graph(), { out, resume: true }), /expected a file, found a folder/);
    rmSync(join(out, '.relflow/partial/rejects.jsonl'), { recursive: true });
    await run(graph(), { out, resume: true });
    assert.deepEqual(digests(out), digests(expected));
  });

  it('does not finish a run whose shards are missing', async () => {
    const out = join(temporaryFolder(), 'out');
    await run(graphOf(images(30)), { out, shardRecords: 10 });
    rmSync(join(out, 'manifest.json'));
    rmSync(join(out, 'scene-graphs/00001.jsonl'));
    await assert.rejects(
      run(graphOf(images(30)), { out, resume: true, shardRecords: 10 }),
      /00001\.jsonl: the file of the complete shard 1 is missing/,
    );
  });

  it('keeps a second run out of the folder under any spelling of its path', async () => {
    const out = join(temporaryFolder(), 'out');
    const first = run(graphOf(images(400), 2), { out });
    while (!existsSync(new RunFolder(out).lock)) await new Promise((resolve) => setTimeout(resolve, 1));
    await assert.rejects(
      run(graphOf(images(3)), { out: relative('.', out), overwrite: true }),
      /(another process|process \d+) is writing to it; wait until it has ended, or end it/,
    );
    assert.equal((await first).records, 400);
  });

  it('rejects branches without a sink, flows merged with themselves, and records of a sink that throws', async () => {
    const out = join(temporaryFolder(), 'out');
    const nowhere = new Graph('nowhere');
    nowhere.from(memorySource(images(1))).pipe(relate());
    await assert.rejects(run(nowhere, { out }), {
      message: "nowhere: nothing follows 'relate'; end the flow with .to(sink)",
    });
    const flow = nowhere.from(memorySource(images(1)));
    assert.throws(() => nowhere.merge(flow, flow), { message: "nowhere: merge got the flow after 'memory-2' twice" });
    const graph = new Graph('throws');
    const line = () => {
      throw new Error('no line');
    };
    graph.from(memorySource(images(2))).to({ name: 'odd', version: '1', needs: [], line });
    const { manifest } = await run(graph, { out });
    assert.deepEqual(manifest?.stages['odd']?.rejected, { 'unexpected-error': 2 });
  });

  it('stops at once when its signal is aborted and a stage ignores it', async () => {
    const out = join(temporaryFolder(), 'out');
    const graph = new Graph('deaf');
    const deaf = operator<ImageRecord, Related>({
      name: 'deaf',
      version: '1',
      needs: ['image'],
      adds: ['relations', 'tagger'],
      apply: () => new Promise(() => {}),
    });
    graph
      .from(memorySource(images(3)))
      .pipe(deaf)
      .to(sceneGraphs());
    await assert.rejects(run(graph, { out, signal: AbortSignal.timeout(100) }), { name: 'TimeoutError' });
  });

  it('finds a shard that was changed', async () => {
    const out = join(temporaryFolder(), 'out');
    await run(graphOf(images(3)), { out });
    const file = join(out, 'scene-graphs/00000.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"id":2', '"id":1'));
    const problems = (await collect(validateRun(out))).map(({ problem }) => problem);
    assert.deepEqual(problems, ['its SHA-256 differs from the recorded one', 'image test/1 occurs more than once']);
  });
});
