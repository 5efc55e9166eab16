import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { SceneGraph } from '../../src/records/scene-graph.js';
import { NoteCounts } from '../../src/sinks/exports/note-counts.js';
import { openSet } from '../../src/view/open-set.js';
import type { EditReply, NewEdit } from '../../src/view/review-api.js';
import type { ImageDetail, ImagePage, SetInfo } from '../../src/view/view-api.js';
import { relflow, SCENES } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { ViewProcess } from '../support/view-process.js';

const folder = temporaryFolder();
const path = (...parts: string[]) => join(folder, ...parts);

describe('relflow view', () => {
  before(async () => {
    assert.equal((await relflow(['run', 'demo', '--out', path('run'), '--progress', 'none'])).code, 0);
  });

  it('shows a run with its pictures, and ends with Ctrl-C', async () => {
    const server = await ViewProcess.start(path('run'));
    assert.equal(server.url.hostname, '127.0.0.1');
    const info = await server.get<SetInfo>('/api/set');
    assert.deepEqual([info.kind, info.name, info.hasPictures, info.hasCandidates], ['run', 'run', true, true]);
    const { images } = await server.get<ImagePage>('/api/images?sort=relations-most&limit=1');
    const { candidates, relations } = await server.get<ImageDetail>(`/api/images/${images[0]!.key}`);
    assert.equal(candidates.filter(({ isKept }) => isKept).length, relations.length);
    const dropped = candidates.find(({ reason }) => reason === 'below-threshold');
    assert.match(dropped!.why, /^dropped: its score is not above 0\.\d+$/);
    assert.equal((await server.fetch(`/api/images/${images[0]!.key}/picture?width=320`)).status, 200);
    assert.equal(await server.stop('SIGINT'), 0);
    assert.deepEqual(
      (await readdir(path('run'))).filter((name) => name.startsWith('reviews')),
      [],
    );
  });

  it('opens sets in other forms, by their content', async () => {
    for (const [format, file] of [
      ['coco', ''],
      ['psg', ''],
      ['visual-genome', 'scene_graphs.json'],
      ['label-studio', 'tasks.json'],
    ] as const) {
      const out = path(format);
      const exported = await relflow(['export', path('run'), '--format', format, '--out', out]);
      assert.equal(exported.code, 0, exported.stderr);
      const set = await openSet('view', join(out, file));
      const graphs: SceneGraph[] = [];
      for await (const { graph } of set.read(() => {}, new NoteCounts(), new AbortController().signal))
        graphs.push(graph);
      assert.ok(
        graphs.some(({ relations }) => relations.length > 0),
        format,
      );
      const { digest } = set;
      assert.equal((await openSet('view', join(out, file))).digest, digest);
      await utimes(join(out, file), 1, 1);
      assert.notEqual((await openSet('view', join(out, file))).digest, digest);
    }
    // Names and boxes that these forms lack are in files next to them.
    for (const file of [
      'instances.json',
      'vcoco/vcoco_test.json',
      'vcoco/test_vcoco.json',
      'open-images/OI_SGG_test.json',
    ]) {
      const set = await openSet('view', join(SCENES, file), { images: join(SCENES, 'images') });
      let images = 0;
      for await (const { graph } of set.read(() => {}, new NoteCounts(), new AbortController().signal))
        if (graph.objects.every(({ category }) => /^[A-Za-z ]+$/.test(category))) images++;
      assert.ok(images > 0, file);
    }
    await assert.rejects(openSet('view', join(SCENES, 'captions.json')), {
      message: /is captions, expected a run or a set with images; name its form with --from if it is one/,
    });
  });

  it('loses no edit that it answered as saved when it is killed', async () => {
    let server = await ViewProcess.start(path('run'));
    const { images } = await server.get<ImagePage>('/api/images?limit=200');
    const targets: NewEdit[] = [];
    for (const { key } of images) {
      const { relations } = await server.get<ImageDetail>(`/api/images/${key}`);
      for (const relation of relations) {
        const { subject, predicate, object } = relation;
        targets.push({ id: '', image: key, relation: { subject, predicate, object }, what: { action: 'approve' } });
      }
    }
    const edits = Array.from(
      { length: 80 },
      (_, number): NewEdit => ({ ...targets[number % targets.length]!, id: randomUUID() }),
    );
    const saved: string[] = [];
    // Several at a time, as a person with a fast keyboard and two tabs.
    const rest = [...edits];
    const send = async () => {
      for (let edit = rest.shift(); edit !== undefined; edit = rest.shift()) {
        const response = await server.fetch('/api/edits', { edits: [edit] }).catch(() => null);
        const reply = response?.ok ? ((await response.json().catch(() => null)) as EditReply | null) : null;
        if (reply === null) return;
        saved.push(...reply.saved);
        if (saved.length === 40) server.child.kill('SIGKILL');
      }
    };
    const ended = once(server.child, 'close');
    await Promise.all(Array.from({ length: 6 }, send));
    await ended;
    assert.ok(saved.length >= 40 && saved.length < 80, `${saved.length} edits were saved`);
    server = await ViewProcess.start(path('run'));
    const { reviews } = await server.get<SetInfo>('/api/set');
    assert.ok(reviews.edits >= saved.length);
    const lines = (await readFile(path('run', 'reviews.jsonl'), 'utf8')).split('\n').slice(0, -1);
    const ids = new Set(lines.map((line) => (JSON.parse(line) as { id: string }).id));
    assert.deepEqual(
      saved.filter((id) => !ids.has(id)),
      [],
    );
    // The page sends what was not answered once more.
    for (const edit of edits.filter(({ id }) => !saved.includes(id)))
      assert.equal((await server.fetch('/api/edits', { edits: [edit] })).status, 200);
    assert.equal((await server.get<SetInfo>('/api/set')).reviews.edits, 80);
    await server.stop('SIGINT');
  });

  it('keeps the reviews of a run that is resumed and checked, and replaces no folder that has some', async () => {
    const before = await readFile(path('run', 'reviews.jsonl'), 'utf8');
    assert.equal((await relflow(['resume', path('run')])).code, 0);
    assert.equal((await relflow(['validate', path('run')])).code, 0);
    const { code, stderr } = await relflow(['run', 'demo', '--out', path('run'), '--overwrite']);
    assert.equal(code, 1);
    assert.match(stderr, /contains files that its run did not write: reviews\.jsonl; move them away/);
    assert.equal(await readFile(path('run', 'reviews.jsonl'), 'utf8'), before);
    const applied = await relflow(['apply', path('run'), '--out', path('applied')]);
    assert.equal(applied.code, 0, applied.stderr);
  });

  it('names what it cannot show', async () => {
    for (const [args, message] of [
      [[path('nothing')], /nothing/],
      [[join(SCENES, 'captions.json')], /is captions, expected a run or a set with images; name its form with --from/],
      [[path('run'), '--images', path('nowhere')], /nowhere: no such image folder/],
      [[path('run'), '--port', '99999'], /port/],
    ] as const) {
      const { code, stderr } = await relflow(['view', ...args, '--no-open']);
      assert.equal(code, 1, stderr);
      assert.match(stderr, message);
    }
  });
});
