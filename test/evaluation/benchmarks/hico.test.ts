import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { relflow } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';
import { writePredictions } from '../../support/prediction-files.js';

type Numbers = readonly number[];
type Truth = readonly [objects: readonly (readonly [box: Numbers, category: number])[], relations: readonly Numbers[]];
type Pair = readonly [subject: Numbers, object: Numbers, score: number, category?: string, second?: number];

const folder = temporaryFolder();
let files = 0;
const at = (name: string) => join(folder, `${++files}-${name}`);

const [PERSON, HORSE, RIDE] = [1, 19, 77];
const [person, horse] = [
  [50, 20, 149, 119],
  [200, 20, 299, 119],
];
/** One person who rides one horse. */
const riding: Truth = [
  [
    [person, PERSON],
    [horse, HORSE],
  ],
  [[0, 1, RIDE]],
];

function annotations(images: readonly Truth[]): string {
  const path = at('annotations.json');
  const written = images.map(([objects, relations], k) => ({
    file_name: `${k}.jpg`,
    annotations: objects.map(([bbox, category_id]) => ({ bbox, category_id })),
    hoi_annotation: relations.map(([subject_id, object_id, category_id]) => ({ subject_id, object_id, category_id })),
  }));
  writeFileSync(path, JSON.stringify(written));
  return path;
}

function predictions(images: readonly (readonly Pair[])[], header: object = {}): string {
  return writePredictions(
    at('predictions.jsonl'),
    { objects: ['person', 'horse', 'bench'], predicates: ['ride', 'hold'], fused: true, ...header },
    images.map((pairs, k) => [
      { file: `${k}.jpg` },
      pairs.map(([subject, object, score, category = 'horse', second = 0.001]) => ({
        subject,
        object,
        categories: ['person', category],
        scores: [score, second],
      })),
    ]),
  );
}

async function evaluate(truth: readonly Truth[], found: readonly (readonly Pair[])[], ...flags: string[]) {
  const { code, stdout, stderr } = await relflow([
    'evaluate',
    'hico',
    predictions(found),
    annotations(truth),
    '--json',
    ...flags,
  ]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** The shape of a case: truth, predictions, expected mAP and mean of the highest recalls, flags. */
type Case = readonly [string, readonly Truth[], readonly (readonly Pair[])[], number, number, ...string[]];

const right: Pair = [person, horse, 0.9];
const shifted = (box: Numbers, dx: number, dy = 0) => [box[0]! + dx, box[1]! + dy, box[2]! + dx, box[3]! + dy];
const rows = (box: Numbers, count: number) => [box[0]!, box[1]!, box[2]!, box[1]! + count - 1];
const two = (dy: number): Truth => [
  [
    [person, PERSON],
    [shifted(person, 0, dy), PERSON],
    [horse, HORSE],
  ],
  [
    [0, 2, RIDE],
    [1, 2, RIDE],
  ],
];

const CASES: readonly Case[] = [
  [
    'a recall of 3/10 does not reach the threshold 0.30000000000000004',
    Array.from({ length: 10 }, () => riding),
    [[right], [[person, horse, 0.8]], [[person, horse, 0.7]], ...Array.from({ length: 7 }, () => [])],
    3 / 11,
    0.3,
  ],
  ['half of the rows are enough, with the extra pixel', [riding], [[[rows(person, 50), horse, 0.9]]], 1, 1],
  ['less than half of the rows is not', [riding], [[[rows(person, 49), horse, 0.9]]], 0, 0],
  [
    'the second of two equal annotations counts and cannot be found',
    [[riding[0], [...riding[1], ...riding[1]]]],
    [[right, [shifted(person, 1), horse, 0.8]]],
    6 / 11,
    0.5,
    '--no-nms',
  ],
  ['images without boxes are not counted', [riding, [[], []]], [[[person, horse, 0.5]], [right]], 1, 1],
  [
    'images with boxes and without interactions are',
    [riding, [[[[5, 5, 60, 60], PERSON]], []]],
    [[[person, horse, 0.5]], [right]],
    0.5,
    1,
  ],
  ['a class that the test annotations lack is not a class', [riding], [[[person, horse, 0.5, 'horse', 0.9]]], 1, 1],
  [
    'a near copy of a pair goes, even if it is right',
    [two(10)],
    [[right, [shifted(person, 0, 10), horse, 0.8]]],
    6 / 11,
    0.5,
  ],
  ['and stays without suppression', [two(10)], [[right, [shifted(person, 0, 10), horse, 0.8]]], 1, 1, '--no-nms'],
  [
    'a prediction whose best candidate was found is wrong although another one is free',
    [two(20)],
    [[right, [person, shifted(horse, 2), 0.8]]],
    6 / 11,
    0.5,
    '--no-nms',
  ],
  [
    'a box without width overlaps nothing, not even itself',
    [
      [
        [
          [person, PERSON],
          [[200, 20, 200, 119], HORSE],
        ],
        riding[1],
      ],
    ],
    [[[person, [200, 20, 200, 119], 0.9]]],
    0,
    0,
  ],
  [
    'combinations that are not among the 600 lose their scores before the cut to 100',
    [riding],
    [
      [
        [person, horse, 0.5],
        ...Array.from({ length: 110 }, (_, k): Pair => [shifted(person, k), horse, 0.9, 'bench', 0.001]),
      ],
    ],
    1,
    1,
  ],
  [
    'and keep them without the mask, so that the true one is cut off',
    [riding],
    [
      [
        [person, horse, 0.5],
        ...Array.from({ length: 110 }, (_, k): Pair => [shifted(person, k), horse, 0.9, 'bench', 0.001]),
      ],
    ],
    0,
    0,
    '--no-mask',
  ],
];

describe('relflow evaluate hico', () => {
  for (const [name, truth, found, map, recall, ...flags] of CASES)
    it(name, async () => {
      const { metrics } = await evaluate(truth, found, ...flags);
      assert.ok(Math.abs(metrics.mAP - map) < 1e-9, `mAP ${metrics.mAP}, expected ${map}`);
      assert.ok(Math.abs(metrics.mean_max_recall - recall) < 1e-9, `recall ${metrics.mean_max_recall}`);
    });

  it('reports rare, non-rare and neither by the training annotations, in the table and as JSON', async () => {
    const wave = [...riding[0], [[5, 200, 104, 299], HORSE]] as const;
    const truth: Truth[] = [riding, [wave, [[0, 1, 37]]], [wave, [[0, 1, 115]]]];
    const training = annotations([...Array.from({ length: 10 }, (): Truth => [wave, [[0, 1, 37]]]), riding]);
    const report = await evaluate(truth, [[right], [], []], '--training', training);
    assert.equal(report.metrics.mAP_rare, 1.0000000000000002);
    assert.equal(report.metrics.mAP_non_rare, 0);
    assert.deepEqual(
      report.classes.map((of: { name: string; set: string | null }) => [of.name, of.set]),
      [
        ['ride horse', 'rare'],
        ['hold horse', 'non-rare'],
        ['wear horse', null],
      ],
    );
    assert.equal(report.counts['classes-in-neither'], 1);
    assert.match(report.files.predictions.sha256, /^[\da-f]{64}$/);
    const args = ['evaluate', 'hico', predictions([[right], [], []]), annotations(truth), '--per-class'];
    const { stdout } = await relflow([...args, '--training', training]);
    assert.match(stdout, /^validity mask +600 combinations, before the cut$/m);
    assert.match(stdout, /^mAP_rare +100\.00$/m);
    assert.match(stdout, /^ride horse +19 +77 +[\d–]+ +rare +1 +1 +1 +1\.0000 +1$/m);
  });

  it('reports unseen and seen combinations of a setting or of a list', async () => {
    const list = at('list.json');
    writeFileSync(list, '[3, 599]');
    const { metrics, counts } = await evaluate([riding], [[right]], '--unseen', list);
    assert.deepEqual([metrics.mAP_unseen, counts['classes-unseen'], counts['classes-seen']], [null, 0, 1]);
    const uv = await evaluate([riding], [[right]], '--setting', 'UV');
    assert.equal(uv.protocol.setting, 'UV');
    assert.equal(uv.metrics.mAP_unseen, 1.0000000000000002);
  });

  it('counts only images with the object in the Known Object setting, which it marks', async () => {
    const other: Truth = [
      [
        [person, PERSON],
        [horse, 62],
      ],
      [[0, 1, 88]],
    ];
    const found = [[[person, horse, 0.5]], [right]] as const;
    const plain = await evaluate([riding, other], found);
    const known = await evaluate([riding, other], found, '--known-object');
    const [ride] = [plain, known].map(({ classes }) => classes[0].ap);
    assert.ok(Math.abs(ride - 0.5) < 1e-9);
    assert.equal(known.classes[0].ap, 1.0000000000000002);
    assert.match(known.evaluator, /not reported by RLIPv2/);
    assert.equal(known.counts['predictions-in-images-without-the-object'], 1);
  });

  it('gives bootstrap intervals that contain the number and are the same every time', async () => {
    const truth = Array.from({ length: 30 }, () => riding);
    const found = truth.map((_, k) => (k % 3 === 0 ? [] : [[person, horse, 0.5 + k / 100] as Pair]));
    const { metrics, intervals } = await evaluate(truth, found, '--bootstrap', '200');
    assert.ok(intervals.mAP.low < metrics.mAP && metrics.mAP < intervals.mAP.high);
    assert.deepEqual((await evaluate(truth, found, '--bootstrap', '200')).intervals, intervals);
  });

  it('names predictions that do not fit the benchmark or the annotations', async () => {
    const run = async (file: string) => (await relflow(['evaluate', 'hico', file, annotations([riding])])).stderr;
    assert.match(
      await run(predictions([[right]], { predicates: ['ride', 'befriend'] })),
      /predicate 'befriend' .*117 verbs/,
    );
    assert.match(await run(predictions([[right]], { objects: ['person', 'horse', 'unicorn'] })), /object 'unicorn'/);
    assert.match(await run(predictions([[right], []])), /image \{"file":"1\.jpg"\} is not among the images of/);
    assert.match(await run(predictions([[[person, horse, 1.5]]])), /line 2: pair 0 has the score 1\.5, expected/);
    assert.match(await run(predictions([[[person, horse, 0.5, 'dog']]])), /line 2: object 1: category is "dog"/);
  });

  it('says how many images have no predictions', async () => {
    const { stderr } = await relflow(['evaluate', 'hico', predictions([[right]]), annotations([riding, riding])]);
    assert.match(stderr, /1 of 2 annotated images have no line in the predictions/);
  });

  it('writes a page with curves, the worst classes and the pictures of the highest mistakes', async () => {
    const page = join(folder, 'page.html');
    const images = join(folder, 'images');
    mkdirSync(images);
    await sharp({ create: { width: 320, height: 240, channels: 3, background: '#fff' } })
      .png()
      .toFile(join(images, '0.jpg'));
    const args = ['evaluate', 'hico', predictions([[right, [shifted(horse, 60), horse, 0.8]]]), annotations([riding])];
    const { code, stderr } = await relflow([...args, '--page', page, '--images', images]);
    assert.equal(code, 0, stderr);
    const html = readFileSync(page, 'utf8');
    assert.match(html, /<polyline points="/);
    assert.match(html, /viewBox="0 0 320 240"><image href="data:image\/png;base64,/);
    assert.match(html, /person ride horse, 0\.800, no-match/);
    assert.match((await relflow([...args, '--page', page])).stderr, /already exists/);
    assert.match((await relflow([...args, '--images', images])).stderr, /--images has no effect without --page/);
  });
});
