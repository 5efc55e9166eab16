import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type ExportFormatName,
  exportRun,
  Graph,
  type ImageRecord,
  operator,
  type Related,
  RunFolder,
  run,
  runPart,
  type SourceItem,
  sceneGraphs,
} from '../../src/index.js';
import { ExportOutput } from '../../src/sinks/exports/export-output.js';
import { exportAs } from '../../src/sinks/exports/export-run.js';
import { relflow } from '../support/command.js';
import { digests, putFile, temporaryFolder } from '../support/folders.js';
import { images, memorySource } from '../support/records.js';

const relate = () =>
  operator<ImageRecord, Related>({
    name: 'relate',
    version: '1',
    needs: ['image'],
    adds: ['relations', 'tagger'],
    apply: () => ({ relations: [], tagger: null }),
  });

function graphOf(items: readonly SourceItem<ImageRecord>[], format: ExportFormatName = 'rlipv2'): Graph {
  const graph = new Graph('test');
  graph.from(memorySource(items)).pipe(relate()).to(sceneGraphs());
  return graph.finish(exportAs(format));
}

/** Makes the folder of a finished run of three shards. */
async function finishedRun(): Promise<string> {
  const out = join(temporaryFolder(), 'out');
  await run(graphOf(images(30)), { out, shardRecords: 10, gzip: true });
  return out;
}

/** A folder of the user outside the run, and its content. */
function elsewhere(): { folder: string; unchanged: () => void } {
  const folder = temporaryFolder();
  for (const name of ['a.txt', '00000.jsonl.gz', '00000.json', 'run.json', 'sub/b.txt']) putFile(join(folder, name));
  const before = digests(folder);
  return { folder, unchanged: () => assert.deepEqual(digests(folder), before) };
}

describe('hard links of a run to files of the user', () => {
  for (const gzip of [false, true])
    it(`keep their content through a resume${gzip ? ', with gzip' : ''}`, async () => {
      const [expected, out, copy] = [1, 2, 3].map(() => join(temporaryFolder(), 'out')) as [string, string, string];
      await run(graphOf(images(40)), { out: expected, shardRecords: 15, gzip });
      const stop = new AbortController();
      const onProgress = ({ records }: { readonly records: number }) => records >= 20 && stop.abort();
      await run(graphOf(images(40)), { out, shardRecords: 15, gzip, stop: stop.signal, onProgress });
      // A copy as backups make it.
      for (const path of Object.keys(digests(out))) {
        putFile(join(copy, path));
        rmSync(join(copy, path));
        linkSync(join(out, path), join(copy, path));
      }
      // A file of the user that would be truncated to start a shard again.
      rmSync(join(out, '.relflow/progress.json'));
      const [partial] = readdirSync(join(out, '.relflow/partial'));
      assert.ok(partial !== undefined);
      const mine = join(temporaryFolder(), 'mine');
      putFile(mine);
      if (gzip) linkSync(mine, join(out, `.relflow/partial/${partial}.gz`));
      const before = digests(copy);
      await run(graphOf(images(40)), { out, shardRecords: 15, gzip, resume: true });
      assert.deepEqual(digests(copy), before);
      assert.equal(readFileSync(mine, 'utf8'), 'mine');
      assert.deepEqual(digests(out), digests(expected));
      // With its progress, the copy itself can be resumed.
      await run(graphOf(images(40)), { out: copy, shardRecords: 15, gzip, resume: true });
      assert.deepEqual(digests(copy), digests(expected));
    });

  it('are not written to as a lock', async () => {
    const out = await finishedRun();
    const mine = join(temporaryFolder(), 'mine');
    putFile(mine);
    linkSync(mine, join(out, '.relflow/lock'));
    await assert.rejects(
      run(graphOf(images(30)), { out, shardRecords: 10, gzip: true, resume: true }),
      /lock: is a hard link to another file, which would be written to; remove it/,
    );
    assert.equal(readFileSync(mine, 'utf8'), 'mine');
  });
});

describe('files of the user in the folder of a run', () => {
  const foreign: Record<string, string> = {
    'a repository': '.git/config',
    'source code': 'src/index.ts',
    photographs: 'photos/1.jpg',
    'notes next to the shards': 'scene-graphs/notes.txt',
    'a folder next to the shards': 'scene-graphs/00000.jsonl/x',
    'a file that relflow did not name': 'scene-graphs.jsonl',
    'a file in .relflow': '.relflow/notes.txt',
    'a file next to the markers': '.relflow/shards/notes.json',
    'a file among temporary files': '.relflow/tmp/notes.txt',
    'a file among partial shards': '.relflow/partial/notes.txt',
    'a file with the name of another sink': 'other-graphs/00000.jsonl',
    'an incomplete download': 'thesis.partial',
    'a numbered backup': 'data.json.1',
  };
  for (const [what, path] of Object.entries(foreign)) {
    it(`--overwrite refuses a folder with ${what}, and removes nothing`, async () => {
      const out = await finishedRun();
      putFile(join(out, path));
      const before = digests(out);
      const top = path.startsWith('.relflow/') || path.startsWith('scene-graphs/') ? path : path.split('/')[0]!;
      const named = path.endsWith('00000.jsonl/x') ? dirname(path) : top;
      await assert.rejects(run(graphOf(images(4)), { out, overwrite: true }), {
        code: 'bad-output',
        message: `${out}: contains files that its run did not write: ${named}; move them away, or choose another folder`,
      });
      assert.deepEqual(digests(out), before);
      // Nor does a run that continues, or a part, remove them.
      rmSync(join(out, 'manifest.json'));
      await run(graphOf(images(30)), { out, shardRecords: 10, gzip: true, resume: true });
      assert.equal(readFileSync(join(out, path), 'utf8'), 'mine');
    });
  }

  it('are named, the first three', async () => {
    const out = await finishedRun();
    for (const name of ['b', 'a', 'd', 'c', 'e']) putFile(join(out, name));
    await assert.rejects(run(graphOf(images(4)), { out, overwrite: true }), /: a, b, c and 2 more; move them away/);
  });

  it('include an export that was changed, and a manifest or report of another program', async () => {
    for (const name of ['rlipv2.json', 'manifest.json', 'report.json']) {
      const out = await finishedRun();
      writeFileSync(join(out, name), '{"name": "my app", "icons": []}');
      await assert.rejects(run(graphOf(images(4)), { out, overwrite: true }), new RegExp(`did not write: ${name};`));
      assert.match(readFileSync(join(out, name), 'utf8'), /my app/);
    }
  });

  it('stay when a run that has produced nothing is replaced without being asked', async () => {
    const out = join(temporaryFolder(), 'out');
    await run(graphOf([]), { out });
    await run(graphOf([]), { out });
    putFile(join(out, 'notes.txt'));
    await assert.rejects(run(graphOf(images(3)), { out }), /did not write: notes\.txt;/);
    assert.ok(existsSync(join(out, 'notes.txt')));
  });

  it('are not in the way when they are what a desktop writes into every folder', async () => {
    const out = await finishedRun();
    putFile(join(out, '.DS_Store'));
    putFile(join(out, 'scene-graphs/Thumbs.db'));
    await run(graphOf(images(4)), { out, overwrite: true });
    assert.ok(existsSync(join(out, '.DS_Store')) && existsSync(join(out, 'scene-graphs/Thumbs.db')));
  });

  it('that a manifest claims are not removed', async () => {
    const out = await finishedRun();
    const { folder, unchanged } = elsewhere();
    const manifest = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
    const file = { sink: 'x', records: 0, bytes: 4, sha256: '0'.repeat(64) };
    putFile(join(out, 'thesis.txt'));
    manifest.files.push({ ...file, path: 'thesis.txt' });
    writeFileSync(join(out, 'manifest.json'), JSON.stringify(manifest));
    await assert.rejects(run(graphOf(images(4)), { out, overwrite: true }), /did not write: thesis\.txt;/);
    rmSync(join(out, 'thesis.txt'));
    manifest.files.push(
      { ...file, path: `../../${folder.split('/').slice(-1)[0]}/a.txt` },
      { ...file, path: join(folder, 'a.txt') },
    );
    writeFileSync(join(out, 'manifest.json'), JSON.stringify(manifest));
    await run(graphOf(images(4)), { out, overwrite: true }).catch(() => {});
    unchanged();
  });
});

describe('links in the folder of a run', () => {
  const places = ['.relflow', '.relflow/shards', '.relflow/partial', '.relflow/tmp', 'scene-graphs'];
  for (const place of places) {
    it(`are not followed when ${place} is one`, async () => {
      const out = await finishedRun();
      const { folder, unchanged } = elsewhere();
      rmSync(join(out, place), { recursive: true, force: true });
      symlinkSync(folder, join(out, place));
      const refused = /is a link, expected files and folders of the run itself|a link leads out of the folder/;
      for (const options of [{ overwrite: true }, { resume: true, shardRecords: 10, gzip: true }, {}])
        await assert.rejects(run(graphOf(images(30)), { out, ...options }), refused);
      await assert.rejects(runPart(graphOf(images(30)), { out, part: 1, parts: 1 }), refused);
      unchanged();
    });
  }

  for (const place of [
    'manifest.json',
    'report.json',
    '.relflow/run.json',
    '.relflow/progress.json',
    'scene-graphs/00000.jsonl.gz',
    'rlipv2.json',
  ]) {
    it(`are not written through when ${place} is one`, async () => {
      const out = await finishedRun();
      const target = join(temporaryFolder(), 'target');
      if (existsSync(join(out, place))) renameSync(join(out, place), target);
      else writeFileSync(target, 'mine');
      const before = readFileSync(target);
      const refused = /is a link|a link leads out/;
      symlinkSync(target, join(out, place));
      await assert.rejects(run(graphOf(images(4)), { out, overwrite: true }), refused);
      if (place !== 'manifest.json') rmSync(join(out, 'manifest.json'));
      await assert.rejects(run(graphOf(images(30)), { out, shardRecords: 10, gzip: true, resume: true }), refused);
      assert.deepEqual(readFileSync(target), before);
    });
  }

  it('are refused as the folder of a run that is to be replaced, but not of a new one', async () => {
    const out = await finishedRun();
    const link = join(temporaryFolder(), 'link');
    symlinkSync(out, link);
    await assert.rejects(run(graphOf(images(4)), { out: link, overwrite: true }), {
      message: `${link}: is a link, and a run is never replaced through one; give the folder itself`,
    });
    const empty = join(temporaryFolder(), 'empty');
    symlinkSync(temporaryFolder(), empty);
    await run(graphOf(images(4)), { out: empty });
  });
});

describe('a replaced run', () => {
  it('leaves the same files as a new one, after a finished and after an interrupted one', async () => {
    const expected = join(temporaryFolder(), 'out');
    await run(graphOf(images(12)), { out: expected, shardRecords: 5 });
    const finished = await finishedRun();
    const interrupted = join(temporaryFolder(), 'out');
    const stop = new AbortController();
    await run(graphOf(images(30)), {
      out: interrupted,
      shardRecords: 4,
      stop: stop.signal,
      onProgress: ({ records }) => records > 9 && stop.abort(),
    });
    for (const name of ['.relflow/run.json.123', 'report.json.55', 'rlipv2.json.partial'])
      putFile(join(interrupted, name));
    putFile(join(interrupted, '.relflow/tmp/run-00000000-0000-0000-0000-000000000000/relflow-aB3xYz/0.spool'));
    for (const out of [finished, interrupted]) {
      await run(graphOf(images(12)), { out, shardRecords: 5, overwrite: true });
      assert.deepEqual(digests(out), digests(expected));
      assert.deepEqual(
        (await readdir(join(out, '.relflow'))).sort(),
        (await readdir(join(expected, '.relflow'))).sort(),
      );
    }
  });
});

describe('an export of a run whose process was killed', () => {
  it('leaves no file after a resume, nor after a new run', async () => {
    const expected = join(temporaryFolder(), 'out');
    await run(graphOf(images(12), 'coco'), { out: expected, shardRecords: 5 });
    for (const how of [{ resume: true }, { overwrite: true }]) {
      const out = join(temporaryFolder(), 'out');
      await run(graphOf(images(12), 'coco'), { out, shardRecords: 5 });
      for (const name of ['manifest.json', 'report.json', 'coco.json']) rmSync(join(out, name));
      const output = await ExportOutput.open(join(out, 'coco.json'), false);
      await (await output.create('coco.json')).close();
      await output.scratch();
      await output.scratch();
      assert.equal(readdirSync(out).filter((name) => name.startsWith('coco.json.')).length, 3);
      await run(graphOf(images(12), 'coco'), { out, shardRecords: 5, ...how });
      assert.deepEqual(digests(out), digests(expected));
      await output.abandon();
    }
  });
});

describe('files that commands write', () => {
  it('replace nothing without --overwrite, and never a file of a run', async () => {
    const out = await finishedRun();
    const other = await finishedRun();
    const file = join(temporaryFolder(), 'annotations.json');
    const exported = (to: string, ...flags: string[]) =>
      relflow(['export', out, '--format', 'rlipv2', '--file', to, ...flags]);
    assert.equal((await exported(file)).code, 0);
    assert.equal(
      (await exported(file)).stderr,
      `relflow: ${file}: already exists; choose another file, or replace it with --overwrite\n`,
    );
    writeFileSync(file, 'mine');
    await assert.rejects(exportRun(new RunFolder(out), 'rlipv2', file), /already exists/);
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    assert.equal((await exported(file, '--overwrite')).code, 0);
    assert.match(readFileSync(file, 'utf8'), /^\[/);
    const before = [digests(out), digests(other)];
    const own = [
      'manifest.json',
      'report.json',
      'rlipv2.json',
      '.relflow/run.json',
      '.relflow/lock',
      'scene-graphs/00001.jsonl.gz',
    ];
    own.push('.relflow/new.json', 'scene-graphs/00009.jsonl');
    for (const folder of [out, other])
      for (const name of own) {
        const { code, stderr } = await exported(join(folder, name), '--overwrite');
        assert.equal(code, 1);
        assert.match(stderr, /is a file of the run in .*, which only that run writes; choose another file\n$/);
      }
    assert.deepEqual([digests(out), digests(other)], before);
    assert.equal((await exported(join(out, 'mine', 'new.json'))).code, 0);
    assert.match((await exported(join(out, 'mine'), '--overwrite')).stderr, /is a folder, expected a file to write/);
  });

  it('of weights, captions and parser errors replace nothing either', async () => {
    const folder = temporaryFolder();
    const weights = join(folder, 'w.safetensors');
    const checkpoint = 'test/model/weights/checkpoints/checkpoint.pth';
    writeFileSync(weights, 'mine');
    for (const args of [
      ['convert', checkpoint, weights],
      ['init', weights, '--model', 'tinyTagger'],
    ]) {
      assert.match((await relflow(['weights', ...args])).stderr, /already exists/);
      assert.equal(readFileSync(weights, 'utf8'), 'mine');
    }
    writeFileSync(join(folder, 'v-00001-of-00003.safetensors'), 'mine');
    const sharded = ['weights', 'convert', checkpoint, join(folder, 'v.safetensors'), '--shard-size', '1KB'];
    assert.match((await relflow(sharded)).stderr, /v-00001-of-00003\.safetensors: already exists/);
    assert.equal((await relflow([...sharded, '--overwrite'])).code, 0);
    const captions = ['captions', 'export', weights, '--store', join(folder, 'store')];
    assert.match((await relflow(captions)).stderr, /already exists/);
    const errors = ['evaluate', 'parser', 'fixtures/gold-captions.csv', '--errors', weights];
    assert.match((await relflow(errors)).stderr, /already exists/);
    assert.equal(readFileSync(weights, 'utf8'), 'mine');
  });

  it('do not touch a file with the name of their temporary one, nor what a link of that name points to', async () => {
    const out = await finishedRun();
    const folder = temporaryFolder();
    const target = join(folder, 'target');
    putFile(target);
    symlinkSync(target, join(folder, 'a.json.partial'));
    await exportRun(new RunFolder(out), 'rlipv2', join(folder, 'a.json'));
    assert.equal(readFileSync(target, 'utf8'), 'mine');
    assert.equal(readFileSync(join(folder, 'a.json.partial'), 'utf8'), 'mine');
  });
});
