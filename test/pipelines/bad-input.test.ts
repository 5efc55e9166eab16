import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import cocoRecipe from '../../pipelines/coco-pipeline.js';
import {
  buildRecipe,
  type Manifest,
  type Recipe,
  type Reject,
  RunFolder,
  run,
  type SceneGraph,
  validateRun,
} from '../../src/index.js';
import { packageRoot } from '../../src/package-info.js';
import { command, relflow } from '../support/command.js';
import { digests, temporaryFolder } from '../support/folders.js';
import { collect } from '../support/records.js';
import { writeSyntheticCoco } from '../support/synthetic-coco.js';

const image = (id: unknown, more: object = {}) => ({ id, width: 640, height: 480, file_name: `${id}.jpg`, ...more });
const person = (id: number, image_id: unknown, bbox: unknown = [10, 10, 50, 90], more: object = {}) => ({
  id,
  image_id,
  category_id: 1,
  bbox,
  iscrowd: 0,
  ...more,
});
const categories = [
  { id: 1, name: 'person' },
  { id: 2, name: 'horse' },
];

interface Ran {
  readonly manifest: Manifest;
  readonly graphs: readonly SceneGraph[];
  readonly rejects: readonly Reject[];
}

/** Runs the pipeline coco on annotations and captions, given as values or as the text of a file. */
async function runCoco(annotations: unknown, captions: unknown = {}, more: object = {}): Promise<Ran> {
  const folder = temporaryFolder();
  const write = (name: string, value: unknown) => {
    writeFileSync(
      join(folder, name),
      typeof value === 'string' || value instanceof Buffer ? value : JSON.stringify(value),
    );
    return join(folder, name);
  };
  const options = {
    annotations: write('instances_val2017.json', annotations),
    captions: write('captions.json', captions),
    ...more,
  };
  const { graph } = await buildRecipe(cocoRecipe as unknown as Recipe, options);
  const out = join(folder, 'out');
  const { manifest } = await run(graph, { out });
  assert.deepEqual(await collect(validateRun(out)), []);
  const results = new RunFolder(out);
  return {
    manifest: manifest!,
    graphs: await collect(results.lines('scene-graphs', 'scene-graph')),
    rejects: await collect(results.lines('rejects', 'reject')),
  };
}

const reasons = ({ rejects }: Ran) => rejects.map(({ reason, image: id }) => [reason, id]);

describe('bad input', () => {
  it('ends the run at truncated or invalid JSON and names the file and the byte', async () => {
    const text = JSON.stringify({ images: [image(1)], annotations: [person(1, 1)], categories });
    for (const broken of [
      text.slice(0, 60),
      text.slice(0, -30),
      '',
      'hello',
      '[1, 2]',
      text.replace('"annotations"', 'annotations'),
    ]) {
      await assert.rejects(runCoco(broken), (error: Error) => {
        assert.equal(error.name, 'InputError', error.message);
        assert.match(error.message, /instances_val2017\.json: .*(byte \d+|missing|is a list|is empty)/);
        return true;
      });
    }
    await assert.rejects(
      runCoco({ images: [image(1)], annotations: [], categories }, '{"1": ["a man'),
      /captions\.json: .*byte \d+/,
    );
  });

  it('ends the run before any work when a file is missing, and names a missing key', async () => {
    const missing = buildRecipe(cocoRecipe as unknown as Recipe, { annotations: 'no/such.json', captions: 'c.json' });
    const { graph } = await missing;
    await assert.rejects(run(graph, { out: join(temporaryFolder(), 'out') }), /no\/such\.json/);
    await assert.rejects(runCoco({ images: [], categories }), /the array 'annotations' is missing/);
  });

  it('rejects images and annotations of wrong types one by one', async () => {
    const ran = await runCoco(
      {
        images: [
          image(1),
          image(2, { width: 'wide' }),
          image(null),
          'what',
          image(1),
          image(3, { file_name: '../..' }),
          image(4),
        ],
        annotations: [
          person(1, 1),
          person(2, 1, 'box'),
          person(3, 1, [1, 2, 3]),
          person(4, 99),
          person(5, 'x'),
          7,
          null,
          person(6, 4),
        ],
        categories,
      },
      { 1: ['a man'], 4: ['a man'] },
    );
    assert.deepEqual(
      ran.graphs.map(({ image: { id }, objects }) => [id, objects.length]),
      [
        [1, 1],
        [4, 1],
      ],
    );
    const counted = Object.values(ran.manifest.stages['coco']!.rejected).reduce((a, b) => a + b, 0);
    assert.equal(counted, ran.rejects.length);
    const found = new Set(ran.rejects.map(({ reason }) => reason));
    for (const reason of [
      'malformed-image',
      'duplicate-image',
      'unsafe-path',
      'malformed-box',
      'malformed-annotation',
      'unknown-image',
    ]) {
      assert.ok(found.has(reason), `${reason} is not among ${[...found]}`);
    }
  });

  it('rejects NaN boxes, as Python writes them, one by one', async () => {
    const text = JSON.stringify({
      images: [image(1)],
      annotations: [person(1, 1), person(2, 1, [1, 2, 'N', 4])],
      categories,
    });
    const ran = await runCoco(text.replace('"N"', 'NaN'), { 1: ['a man'] });
    assert.deepEqual(reasons(ran), [['malformed-box', 1]]);
    assert.equal(ran.graphs[0]?.objects.length, 1);
  });

  it('counts annotations of rejected images, invalid scores and missing ids, and keeps ids unique', async () => {
    const text = JSON.stringify({
      images: [image(1), image(2, { file_name: 'x\n.jpg' })],
      annotations: [
        person(0, 1, [1, 1, 20, 20], { score: 'SCORE' }),
        { ...person(0, 1, [2, 2, 20, 20]), id: undefined, category_id: 'text' },
        { ...person(0, 1, [3, 3, 20, 20]), id: undefined, score: 'high' },
        person(5, 2),
        person(6, 2),
      ],
      categories: [...categories, { id: 'text', name: 'person' }],
    });
    const ran = await runCoco(text.replace('"SCORE"', '1e400'), { 1: ['a man'] });
    assert.deepEqual(
      ran.graphs[0]?.objects.map(({ id, score }) => [id, score]),
      [
        [0, undefined],
        [1, undefined],
        [2, undefined],
      ],
    );
    assert.deepEqual(reasons(ran), [['unsafe-path', 2]]);
    assert.deepEqual(ran.manifest.stages['coco']?.counts, { 'refused-image-annotation': 2, 'score-out-of-range': 2 });
  });

  it('accepts NaN anywhere, and reports the position of invalid values', async () => {
    const text = JSON.stringify({ info: { x: 1 }, mean: 'M', images: [image(1)], annotations: [], categories });
    assert.equal((await runCoco(text.replace('"M"', 'NaN'), { 1: ['a man'] })).graphs.length, 1);
    await assert.rejects(runCoco(text.replace('"M"', 'tru')), /instances_val2017\.json: .* at byte 23$/);
  });

  it('keeps images without boxes and rejects images without captions', async () => {
    const ran = await runCoco(
      { images: [image(1), image(2), image(3), image(4)], annotations: [person(1, 1)], categories },
      { 1: ['a man'], 2: ['a horse on a hill'], 3: ['', '  '] },
    );
    assert.deepEqual(
      ran.graphs.map(({ image: { id } }) => id),
      [1, 2],
    );
    assert.deepEqual(reasons(ran), [
      ['no-captions', 3],
      ['no-captions', 4],
    ]);
  });

  it('preserves any Unicode text', async () => {
    const ran = await runCoco(
      {
        images: [image(1, { file_name: 'bilder/ß-日本-🐎.jpg' })],
        annotations: [person(1, 1), { ...person(2, 1, [20, 20, 90, 90]), category_id: 2 }],
        categories,
      },
      { 1: ['Ein Mann 🐎 reitet\u0000\u2028 ein Pferd', 'a man riding a horse 😀 \ud800', '人が馬に乗っている'] },
    );
    assert.equal(ran.graphs[0]?.image.file, 'bilder/ß-日本-🐎.jpg');
    assert.equal(ran.graphs[0]?.captions.length, 3);
    assert.deepEqual(
      ran.graphs[0]?.relations.map(({ predicate }) => predicate),
      ['riding'],
    );
  });

  it('rejects missing images when an image folder is given', async () => {
    const images = temporaryFolder();
    writeFileSync(join(images, '1.jpg'), '');
    mkdirSync(join(images, '2.jpg'));
    const ran = await runCoco(
      { images: [image(1), image(2), image(3)], annotations: [], categories },
      { 1: ['a'], 2: ['a'], 3: ['a'] },
      { images },
    );
    assert.deepEqual(reasons(ran), [
      ['image-missing', 2],
      ['image-missing', 3],
    ]);
  });

  it('pairs ten thousand boxes of an image up to the limit', async () => {
    const annotations = Array.from({ length: 10_000 }, (_, i) => ({
      ...person(i + 1, 1, [(i * 7) % 600, (i * 13) % 440, 20 + (i % 19), 20 + (i % 17)]),
      category_id: 1 + (i % 2),
    }));
    const { manifest, graphs } = await runCoco(
      { images: [image(1)], annotations, categories },
      { 1: ['a man riding a horse'] },
    );
    assert.ok(graphs[0]!.objects.length > 5000);
    assert.equal(manifest.stages['pair']?.counts['pairs'], 10_000);
    assert.ok(manifest.stages['pair']!.counts['pairs-over-limit']! > 1_000_000);
  });

  it('ends the run before any work when it cannot write to the output folder', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const { annotations, captions } = writeSyntheticCoco(temporaryFolder(), 2);
    const { code, stderr } = await relflow([
      'run',
      'coco',
      '--annotations',
      annotations,
      '--captions',
      captions,
      '--out',
      join(file, 'out'),
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /^relflow: .*file\/out: (not a folder|cannot be written to)/);
  });

  it('keeps everything when the disk is full, and resumes', async function () {
    if (process.platform === 'win32') this.skip();
    const { annotations, captions } = writeSyntheticCoco(temporaryFolder(), 200);
    const args = [
      'run',
      'coco',
      '--annotations',
      annotations,
      '--captions',
      captions,
      '--quiet',
      '--shard-records',
      '100',
    ];
    const [expected, out] = [join(temporaryFolder(), 'out'), join(temporaryFolder(), 'out')];
    assert.equal((await relflow([...args, '--out', expected])).code, 0);
    // A limit on the size of files, in blocks of 512 bytes or 1 KiB, makes a write fail as on a full disk.
    const limited = [process.execPath, command(), ...args, '--out', out];
    const { status, stderr } = spawnSync('sh', ['-c', 'ulimit -f 100; exec "$@"', 'sh', ...limited], {
      cwd: packageRoot,
      encoding: 'utf8',
    });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /a file would exceed the size limit \(\w+: EFBIG\); everything written so far is kept/);
    const resumed = await relflow(['resume', out, '--quiet']);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.deepEqual(digests(out), digests(expected));

    // An export has no run to resume.
    const images = temporaryFolder();
    const { images: listed } = JSON.parse(readFileSync(annotations, 'utf8')) as { images: { file_name: string }[] };
    const noise = randomBytes(300 * 300 * 3);
    const raw = { width: 300, height: 300, channels: 3 } as const;
    await sharp(noise, { raw }).png().toFile(join(images, listed[0]!.file_name));
    const exporting = [
      'export',
      expected,
      '--format',
      'huggingface-jsonl',
      '--images',
      images,
      '--out',
      join(temporaryFolder(), 'export'),
    ];
    const failed = spawnSync(
      'sh',
      ['-c', 'ulimit -f 100; exec "$@"', 'sh', process.execPath, command(), ...exporting],
      {
        cwd: packageRoot,
        encoding: 'utf8',
      },
    );
    assert.match(failed.stderr, /a file would exceed the size limit \(copyfile .*: EFBIG\)\n$/);
  });
});
