import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  baselineTagger,
  candidateSets,
  caption,
  captionFile,
  coco,
  Graph,
  match,
  pair,
  parse,
  preview,
  type RunSummary,
  ruleParser,
  run,
  sceneGraphs,
  tag,
} from '../../src/index.js';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

/** Writes a data set of `count` images, each with a person on a horse and a box of an unknown category; `further` categories have no box. */
function riders(count: number, captions: Record<string, unknown>, further: readonly string[] = []) {
  const folder = temporaryFolder();
  const ids = Array.from({ length: count }, (_, k) => k + 1);
  const box = (id: number, image: number, category: number, x: number) => ({
    id,
    image_id: image,
    category_id: category,
    bbox: [x, 10, 50, 80],
    iscrowd: 0,
  });
  const instances = {
    images: ids.map((id) => ({ id, file_name: `${id}.jpg`, width: 200, height: 100 })),
    annotations: ids.flatMap((id) => [box(3 * id, id, 1, 10), box(3 * id + 1, id, 2, 40), box(3 * id + 2, id, 9, 60)]),
    categories: [
      { id: 1, name: 'person' },
      { id: 2, name: 'horse' },
      ...further.map((name, k) => ({ id: 20 + k, name })),
    ],
  };
  const files = { annotations: join(folder, 'instances.json'), captions: join(folder, 'captions.json') };
  writeFileSync(files.annotations, JSON.stringify(instances));
  writeFileSync(files.captions, JSON.stringify(captions));
  return { ...files, out: join(folder, 'out') };
}

const captionOf = (count: number, text: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, k) => [k + 1, [text]]));

function graphOf({ annotations, captions }: { annotations: string; captions: string }, threshold = 0.2): Graph {
  const graph = new Graph('riders');
  const paired = graph
    .from(coco({ annotations }))
    .pipe(caption(captionFile({ captions })))
    .pipe(parse(ruleParser()))
    .pipe(match({ vocabulary: 'coco80' }))
    .pipe(pair())
    .to(candidateSets());
  paired.pipe(tag(baselineTagger(), { threshold })).to(sceneGraphs());
  return graph;
}

const found = ({ findings }: RunSummary, reason: string) => findings.find((finding) => finding.reason === reason);

describe('the summary of a run', () => {
  it('counts images, relations and what went missing, in the result and in report.json', async () => {
    const captions: Record<string, unknown> = captionOf(10, 'a man riding a horse near a barn');
    delete captions['7'];
    const files = riders(10, captions);
    const { summary, folder } = await run(graphOf(files), { out: files.out });
    assert.ok(summary);
    const { images, imagesWritten, imagesWithRelations, relations, empty } = summary;
    assert.deepEqual(
      { images, imagesWritten, imagesWithRelations, empty },
      {
        images: 10,
        imagesWritten: 9,
        imagesWithRelations: 9,
        empty: null,
      },
    );
    assert.ok(relations! >= 9);
    assert.equal(found(summary, 'no-captions')?.message, '1 of 10 images has no caption');
    assert.match(found(summary, 'no-captions')?.examples[0] ?? '', /^caption-file: no caption for image 7/);
    assert.deepEqual(found(summary, 'entities-without-category')?.examples, ['barn 9']);
    assert.equal(
      found(summary, 'undefined-category')?.message,
      '10 of 30 boxes have a category that the list of categories does not have, or none',
    );
    for (const finding of summary.findings) assert.match(finding.advice, /\w/);
    const report = JSON.parse(readFileSync(folder.pathTo('report.json'), 'utf8')) as { summary: RunSummary };
    assert.deepEqual(report.summary, summary);
  });

  it('tells words without a category from those of a category that the image has no box of', async () => {
    const files = riders(3, captionOf(3, 'a man riding a horse near a barn and a dog'), ['dog']);
    const { summary } = await run(graphOf(files), { out: files.out });
    assert.deepEqual(found(summary!, 'entities-without-category')?.examples, ['barn 3', 'dog (no box) 3']);
  });

  it('leaves out what took less than 3 %', async () => {
    const captions: Record<string, unknown> = captionOf(50, 'a man riding a horse');
    delete captions['7'];
    const files = riders(50, captions);
    const { summary } = await run(graphOf(files), { out: files.out });
    assert.equal(found(summary!, 'no-captions'), undefined);
  });

  it('says why an output has nothing of use', async () => {
    const cases: [Record<string, unknown>, number, RunSummary['empty'], number][] = [
      [{}, 0, 'no-images', 0.2],
      [{ '99': ['a man riding a horse'] }, 3, 'no-output', 0.2],
      [captionOf(3, 'a barn near a lake'), 3, 'no-relations', 0.2],
      [captionOf(3, 'a man riding a horse'), 3, 'no-relations', 1],
    ];
    for (const [captions, count, empty, threshold] of cases) {
      const files = riders(count, captions);
      const { summary } = await run(graphOf(files, threshold), { out: files.out });
      assert.equal(summary?.empty, empty);
    }
  });

  it('says that boxes look like two corners, and that scores are left out', async () => {
    const files = riders(10, captionOf(10, 'a man riding a horse'));
    const content = JSON.parse(readFileSync(files.annotations, 'utf8')) as {
      annotations: { bbox: number[]; score?: number }[];
    };
    for (const annotation of content.annotations) {
      const [x = 0, y = 0, w = 0, h = 0] = annotation.bbox;
      annotation.bbox = [x + 50, y + 50, x + w + 50, y + h + 50];
      annotation.score = 95;
    }
    writeFileSync(files.annotations, JSON.stringify(content));
    const { summary } = await run(graphOf(files), { out: files.out });
    assert.match(
      found(summary!, 'far-beyond-image')?.message ?? '',
      /^\d+ of \d+ boxes reach far beyond their image and were cut/,
    );
    assert.match(found(summary!, 'far-beyond-image')?.advice ?? '', /not two corners/);
    assert.match(
      found(summary!, 'score-out-of-range')?.message ?? '',
      /boxes have a score that is not a number from 0 to 1/,
    );
  });

  it('names categories without words in the vocabulary', async () => {
    const files = riders(3, captionOf(3, 'a forklift next to a pallet'));
    const text = readFileSync(files.annotations, 'utf8');
    writeFileSync(files.annotations, text.replace('"person"', '"zorkmid"'));
    const vocabulary = join(temporaryFolder(), 'words.json');
    writeFileSync(vocabulary, JSON.stringify({ horse: ['horse'] }));
    const graph = new Graph('words');
    graph
      .from(coco({ annotations: files.annotations, compat: true }))
      .pipe(caption(captionFile({ captions: files.captions })))
      .pipe(parse(ruleParser()))
      .pipe(match({ vocabulary, compat: true }))
      .pipe(pair())
      .to(candidateSets());
    const { summary } = await run(graph, { out: files.out });
    assert.equal(summary?.empty, 'no-pairs');
    assert.deepEqual(found(summary!, 'categories-without-words')?.examples, ['zorkmid']);
  });
});

describe('a run that has produced nothing', () => {
  it('does not block the next run into the same folder', async () => {
    const wrong = riders(3, { '99': ['a man riding a horse'] });
    const right = join(temporaryFolder(), 'captions.json');
    writeFileSync(right, JSON.stringify(captionOf(3, 'a man riding a horse')));
    await run(graphOf(wrong), { out: wrong.out });
    const { summary } = await run(graphOf({ ...wrong, captions: right }), { out: wrong.out });
    assert.equal(summary?.empty, null);
    await assert.rejects(run(graphOf({ ...wrong, captions: right }), { out: wrong.out }), /already contains a run/);
  });

  it('that ended with an error before its first record does not either', async () => {
    const files = riders(3, captionOf(3, 'a man riding a horse'));
    const broken = join(temporaryFolder(), 'captions.json');
    writeFileSync(broken, '{"1": ["a man');
    await assert.rejects(run(graphOf({ ...files, captions: broken }), { out: files.out }), /captions\.json/);
    assert.ok(existsSync(files.out));
    const { summary } = await run(graphOf(files), { out: files.out });
    assert.equal(summary?.empty, null);
  });

  it('is kept if that was accepted', async () => {
    const files = riders(3, { '99': ['a man riding a horse'] });
    await run(graphOf(files), { out: files.out, allowEmpty: true });
    await assert.rejects(run(graphOf(files), { out: files.out }), /already contains a run/);
  });
});

describe('preview', () => {
  it('summarizes a sample and the categories without a run', async () => {
    const files = riders(60, captionOf(60, 'a man riding a horse near a barn'));
    const { summary, isComplete, categories, omitted } = await preview(graphOf(files));
    assert.equal(isComplete, false);
    assert.equal(summary.images, 50);
    assert.equal(summary.empty, null);
    assert.deepEqual(categories, { names: ['person', 'horse'], unmatched: [] });
    assert.deepEqual(omitted, []);
    assert.ok(!existsSync(files.out));
  });

  it('leaves out stages that ask a model', async () => {
    const files = riders(2, captionOf(2, 'a man riding a horse'));
    const graph = new Graph('tagged');
    const tagger = { ...baselineTagger(), baseline: false };
    const paired = graph
      .from(coco({ annotations: files.annotations }))
      .pipe(caption(captionFile({ captions: files.captions })))
      .pipe(parse(ruleParser()))
      .pipe(match({ vocabulary: 'coco80' }))
      .pipe(pair())
      .to(candidateSets());
    paired.pipe(tag(tagger)).to(sceneGraphs());
    const { summary, isComplete, omitted } = await preview(graph);
    assert.deepEqual(omitted, ['tag', 'scene-graphs']);
    assert.deepEqual([isComplete, summary.imagesWritten, summary.empty], [true, 2, null]);
  });
});

describe('relflow run, resume and plan', () => {
  const args = ({ annotations, captions }: { annotations: string; captions: string }) => [
    'coco',
    '--annotations',
    annotations,
    '--captions',
    captions,
  ];

  it('print the summary', async () => {
    const files = riders(4, captionOf(4, 'a man riding a horse near a barn'));
    const ended = await relflow(['run', ...args(files), '--out', files.out, '-q']);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^images: 4 read, 4 written, 4 with relations, relations: \d+\n/m);
    assert.match(ended.stdout, /^- 4 of 12 noun phrases name no category of their image \(33 %\): barn 4\n {4}→ add/m);
    const plan = await relflow(['plan', ...args(files)]);
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(plan.stdout, /\nall 4 images:\ncategories: 2 of 2 are in the vocabulary\nimages: 4 read, 4 written/);
    assert.match(plan.stdout, /: barn 4\n/);
  });

  it('exit with 1 and the cause if nothing of use comes out, with 0 if that is allowed', async () => {
    const files = riders(3, { '99': ['a man riding a horse'] });
    const said = /none of 3 images reached the output: 3 of 3 images have no caption .*; check that --captions is/;
    for (const [command, code] of [
      [['run', ...args(files), '--out', files.out, '-q'], 1],
      [['run', ...args(files), '--out', files.out, '-q', '--json'], 1],
      [['resume', files.out, '-q'], 1],
      [['resume', files.out, '-q', '--allow-empty'], 0],
      [['plan', ...args(files)], 1],
      [['run', ...args(files), '--out', files.out, '--dry-run'], 1],
      [['run', ...args(files), '--out', files.out, '--dry-run', '--allow-empty'], 0],
      [['run', ...args(files), '--out', files.out, '-q', '--allow-empty'], 0],
    ] as const) {
      const ended = await relflow(command);
      assert.equal(ended.code, code, command.join(' '));
      if (code === 1) assert.match(ended.stderr, said, command.join(' '));
      else assert.equal(ended.stderr, '');
    }
  });
});
