import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VCOCO_VERBS as verbs } from '../../../src/evaluation/benchmarks/vcoco/vcoco-verbs.js';
import { relflow } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';
import { writePredictions } from '../../support/prediction-files.js';

type Box = readonly number[];
/** A prediction in the second image: person, object, category of the object. */
type Found = readonly [person: Box, object: Box | null, category?: string];

const folder = temporaryFolder();
let files = 0;
const at = (name: string, value: unknown) => {
  const path = join(folder, `${++files}-${name}`);
  writeFileSync(path, JSON.stringify(value));
  return path;
};

const person = [40, 60, 140, 160];
const object = [240, 60, 340, 160];
const rows = (box: Box, count: number) => [box[0]!, box[1]!, box[2]!, box[1]! + count - 1];
/** COCO's `[x, y, w, h]` of a box whose end belongs to it. */
const coco = ([x1, y1, x2, y2]: Box) => [x1!, y1!, x2! - x1! + 1, y2! - y1! + 1];

/** Two images, each with a person and a dog; the second has one more person if wanted. */
function instances(more: readonly Box[] = [], { dog = object, area = 100 } = {}) {
  const boxes = [
    [11, 1, 1, person],
    [12, 1, 18, object],
    [21, 2, 1, person],
    [22, 2, 18, dog],
    ...more.map((box, k) => [31 + k, 2, 1, box] as const),
  ] as const;
  return at('instances.json', {
    images: [1, 2].map((id) => ({ id, file_name: `${id}.jpg`, width: 640, height: 480 })),
    annotations: boxes.map(([id, image_id, category_id, box]) => ({
      id,
      image_id,
      category_id,
      bbox: coco(box),
      area: id < 30 ? 100 : area,
      iscrowd: 0,
    })),
    categories: [],
  });
}

/** The actions hold, run and point, of which only hold varies. */
function actions(labels: readonly number[], objects: readonly number[]) {
  const base = { include: [], image_id: [1, 2], ann_id: [11, 21] };
  return at('vcoco.json', [
    { action_name: 'hold', role_name: ['agent', 'obj'], ...base, label: labels, role_object_id: [11, 21, ...objects] },
    { action_name: 'run', role_name: ['agent'], ...base, label: [1, 0], role_object_id: [11, 21] },
    { action_name: 'point', role_name: ['agent', 'instr'], ...base, label: [1, 0], role_object_id: [11, 21, 0, 0] },
  ]);
}

function predictions(second: Found): string {
  const [of, what, category = 'dog'] = second;
  const pair = (subject: Box, found: Box | null, name: string, score: number) => ({
    subject,
    object: found,
    categories: ['person', name] as const,
    scores: [score, 0.2, 0.1],
  });
  return writePredictions(
    join(folder, `${++files}.jsonl`),
    { objects: ['person', 'dog', 'chair'], predicates: ['hold', 'run', 'point_instr'], fused: true },
    [
      [{ id: 1 }, [pair(person, object, 'dog', 0.9)]],
      [{ file: '2.jpg' }, [pair(of, what, category, 0.95)]],
    ],
  );
}

async function evaluate(args: readonly string[]) {
  const { code, stdout, stderr } = await relflow(['evaluate', 'vcoco', ...args, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Labels and objects of hold, the second prediction, and the expected APs in scenarios 1 and 2 and of the agent. */
type Case = readonly [name: string, labels: Box, objects: Box, Found, number, number, number, ...Box[]];

const CASES: readonly Case[] = [
  ['two of two', [1, 1], [12, 22], [person, object], 1, 1, 1],
  ['an object where the truth has none is wrong in scenario 1', [1, 1], [12, 0], [person, object], 0.25, 1, 1],
  ['no object where the truth has none is right in both', [1, 1], [12, 0], [person, null], 1, 1, 1],
  ['no object where the truth has one is wrong in both', [1, 1], [12, 22], [person, null], 0.25, 0.25, 1],
  ['a box of zeros counts as none', [1, 1], [12, 0], [person, [0, 0, 0, 0]], 1, 1, 1],
  ['51 of 101 rows of the person are enough', [1, 1], [12, 22], [rows(person, 51), object], 1, 1, 1],
  ['50 of 101 rows are not', [1, 1], [12, 22], [rows(person, 50), object], 0.25, 0.25, 0.25],
  ['an object elsewhere is wrong', [1, 1], [12, 22], [person, [440, 260, 500, 360]], 0.25, 0.25, 1],
  ['the category of the object does not count', [1, 1], [12, 22], [person, object, 'chair'], 1, 1, 1],
  [
    'persons without annotations are ignored',
    [1, 0],
    [12, 0],
    [[400, 300, 500, 400], object],
    1,
    1,
    1,
    [400, 300, 500, 400],
  ],
  ['an annotated person who does something else is wrong', [1, 0], [12, 0], [person, object], 0.5, 0.5, 0.5],
];

describe('relflow evaluate vcoco', () => {
  for (const [name, labels, objects, found, one, two, agent, ...more] of CASES)
    it(name, async () => {
      const report = await evaluate([predictions(found), actions(labels, objects), '--instances', instances(more)]);
      const row = (of: string) => report.classes.find((entry: { name: string }) => entry.name === of);
      const actual = [row('hold-obj').ap_scenario_1, row('hold-obj').ap_scenario_2, row('hold').ap_agent];
      for (const [k, expected] of [one, two, agent].entries())
        assert.ok(Math.abs(actual[k] - expected) < 1e-9, `${actual}, expected ${[one, two, agent]}`);
    });

  it('clips boxes to the image, and leaves out persons without an area', async () => {
    const holdOf = async (found: Found, labels: Box, objects: Box, boxes: string) => {
      const { classes } = await evaluate([predictions(found), actions(labels, objects), '--instances', boxes]);
      return classes.find(({ name }: { name: string }) => name === 'hold-obj').ap_scenario_1;
    };
    const beyond = instances([], { dog: [600, 60, 800, 160] });
    assert.equal(await holdOf([person, [600, 60, 639, 160]], [1, 1], [12, 22], beyond), 1);
    const elsewhere = [400, 300, 500, 400];
    // A prediction of a person without annotations is ignored, but not one of a person without an area.
    assert.equal(await holdOf([elsewhere, object], [1, 0], [12, 0], instances([elsewhere])), 1);
    assert.equal(await holdOf([elsewhere, object], [1, 0], [12, 0], instances([elsewhere], { area: 0 })), 0.5);
  });

  it('reports the means with and without point, and the agent mean', async () => {
    const { metrics, counts } = await evaluate([
      predictions([person, object]),
      actions([1, 1], [12, 22]),
      '--instances',
      instances(),
    ]);
    assert.equal(metrics.scenario_1_mean_24_without_point, 1);
    assert.equal(metrics.scenario_1_mean_25_roles, 0.5);
    assert.equal(metrics.scenario_2_mean_25_roles, 1);
    assert.equal(metrics.agent_mean, 1);
    assert.equal(counts['images'], 2);
  });

  it('checks the split and names missing verbs, images and options', async () => {
    const run = async (...args: string[]) => (await relflow(['evaluate', 'vcoco', ...args])).stderr;
    const [found, truth, boxes] = [predictions([person, object]), actions([1, 1], [12, 22]), instances()];
    const split = join(folder, 'split.ids');
    writeFileSync(split, '1\n3\n');
    assert.match(
      await run(found, truth, '--instances', boxes, '--split', split),
      /has 1 images that .* lacks, and lacks 1/,
    );
    assert.match(await run(found, truth), /expected --instances/);
    const nextToIt = join(folder, 'instances_vcoco_all_2014.json');
    renameSync(boxes, nextToIt);
    assert.equal(await run(found, truth), '');
    renameSync(nextToIt, boxes);
    const ride = at('ride.json', [
      { action_name: 'ride', role_name: ['agent'], image_id: [1], ann_id: [11], label: [1], role_object_id: [11] },
    ]);
    assert.match(await run(found, ride, '--instances', boxes), /the predicates of the header lack 'ride'/);
  });

  describe('--training-time', () => {
    const images = at('hoia.json', [
      {
        file_name: '1.jpg',
        annotations: [person, object].map((bbox, k) => ({ bbox, category_id: [1, 18][k] })),
        hoi_annotation: [
          { subject_id: 0, object_id: 1, category_id: 0 },
          { subject_id: 0, object_id: -1, category_id: 26 },
        ],
      },
      {
        file_name: '2.jpg',
        annotations: [{ bbox: person, category_id: 1 }],
        hoi_annotation: [{ subject_id: 0, object_id: -1, category_id: 1 }],
      },
      { file_name: '3.jpg', annotations: [], hoi_annotation: [] },
    ]);
    const found = (name: string, inEmptyImage: number) => {
      const scores = (places: readonly number[], score: number) =>
        verbs.map((_, k) => (places.includes(k) ? score : 0));
      return writePredictions(
        join(folder, name),
        { objects: ['person', 'dog', 'missing objects'], predicates: verbs, fused: true },
        [
          [
            { file: '1.jpg' },
            [{ subject: person, object, categories: ['person', 'dog'], scores: scores([0, 26], 0.9) }],
          ],
          [{ file: '2.jpg' }, []],
          [
            { file: '3.jpg' },
            [{ subject: person, object: null, categories: ['person', 'dog'], scores: scores([0], inEmptyImage) }],
          ],
        ],
      );
    };

    it('asks only for the person where there is no object, counts images without boxes, leaves images without predictions out', async () => {
      const { metrics, classes, counts } = await evaluate([found('first.jsonl', 0.95), images, '--training-time']);
      const ap = Object.fromEntries(classes.map((row: { name: string; ap: number }) => [row.name, row.ap]));
      assert.deepEqual(Object.keys(ap), ['hold_obj', 'point_instr']);
      assert.ok(Math.abs(ap['hold_obj'] - 0.5) < 1e-9 && Math.abs(ap['point_instr'] - 1) < 1e-9);
      assert.ok(Math.abs(metrics.mAP_all - 0.75) < 1e-9 && Math.abs(metrics.mAP_thesis - 0.5 / 24) < 1e-9);
      assert.equal(counts['images-with-boxes-and-without-predictions-left-out'], 1);
    });

    it('masks impossible combinations by the prior, but not those without an object', async () => {
      const prior = at(
        'prior.json',
        verbs.map(() => Array.from({ length: 80 }, () => 0)),
      );
      const hold = async (...flags: string[]) => {
        const { classes } = await evaluate([found('second.jsonl', 0.85), images, '--training-time', ...flags]);
        return classes.find((row: { name: string }) => row.name === 'hold_obj').ap;
      };
      assert.ok(Math.abs((await hold()) - 1) < 1e-9);
      assert.ok(Math.abs((await hold('--prior', prior)) - 0.5) < 1e-9);
    });
  });
});
