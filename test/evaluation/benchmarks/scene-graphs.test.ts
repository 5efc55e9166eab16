import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Graph, run, sceneGraphLines, sceneGraphs } from '../../../src/index.js';
import { relflow } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';

type Box = readonly number[];
/** Boxes with categories, and relations: subject, object, predicate. */
type Truth = readonly [objects: readonly (readonly [Box, string])[], relations: readonly Relation[]];
type Relation = readonly [subject: number, object: number, predicate: string];
/** Boxes with categories and scores, and pairs: subject, object, scores of on, has, near. */
type Found = readonly [
  objects: readonly (readonly [Box, string, number])[],
  pairs: readonly (readonly [number, number, Box])[],
];

const folder = temporaryFolder();
let files = 0;
const PREDICATES = ['on', 'has', 'near'];

const cup: Box = [30, 50, 129, 149];
const table: Box = [230, 50, 329, 149];
const rows = (box: Box, count: number): Box => [box[0]!, box[1]!, box[2]!, box[1]! + count - 1];
const OBJECTS: Truth[0] = [
  [cup, 'cup'],
  [table, 'table'],
];
const SEEN: Found[0] = [
  [cup, 'cup', 0.9],
  [table, 'table', 0.8],
];
/** A third image with all three predicates, without predictions, so that the mean recall is over three predicates. */
const unseen: Truth = [OBJECTS, PREDICATES.map((predicate) => [0, 1, predicate] as const)];

function graphs(name: string, images: readonly Truth[]): string {
  const path = join(folder, `${++files}-${name}.jsonl`);
  const lines = images.map(([objects, relations], k) => ({
    format: 'relflow.scene-graph/1',
    image: { id: k + 1, file: `${k + 1}.jpg`, width: 640, height: 480, dataset: 'test', split: 'test' },
    objects: objects.map(([[x1, y1, x2, y2], category], id) => ({ id, category, box: [x1, y1, x2! - x1!, y2! - y1!] })),
    captions: [],
    relations: relations.map(([subject, object, predicate]) => ({ subject, object, predicate })),
    provenance: { origin: { source: 'test', file: 'test.json' }, operators: [], tagger: null },
  }));
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}

function predictions(images: readonly Found[], header: object = {}): string {
  const path = join(folder, `${++files}.jsonl`);
  const categories = ['cup', 'table', 'chair'];
  const lines = images.map(([objects, pairs], k) => ({
    image: { id: k + 1 },
    objects: objects.map(([xyxy, category, score]) => ({ xyxy, category, score })),
    pairs: pairs.map(([subject, object, scores]) => ({ subject, object, scores })),
  }));
  const head = { predictions: 1, objects: categories, predicates: PREDICATES, fused: false, ...header };
  writeFileSync(path, [head, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}

async function evaluate(mode: string, truth: readonly Truth[], found: readonly Found[], ...flags: string[]) {
  const args = ['evaluate', 'scene-graphs', predictions(found), graphs('truth', truth), '--mode', mode, '--json'];
  const { code, stdout, stderr } = await relflow([...args, ...flags]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

type Case = readonly [string, string, readonly Truth[], readonly Found[], Readonly<Record<string, number | null>>];

const CASES: readonly Case[] = [
  [
    'a pair has one predicate with the constraint, all without it',
    'sgdet',
    [
      [
        OBJECTS,
        [
          [0, 1, 'on'],
          [0, 1, 'has'],
        ],
      ],
      unseen,
    ],
    [[SEEN, [[0, 1, [0.6, 0.3, 0.05]]]]],
    { 'R@100': 0.5, 'ngR@100': 1, 'mR@100': 1 / 3, 'ng-mR@100': 2 / 3 },
  ],
  [
    'images without predicted pairs are in no mean',
    'sgdet',
    [
      [OBJECTS, [[0, 1, 'on']]],
      [OBJECTS, [[0, 1, 'on']]],
    ],
    [
      [SEEN, [[0, 1, [0.6, 0.3, 0.05]]]],
      [SEEN, []],
    ],
    { 'R@100': 1 },
  ],
  [
    'mean recall is a mean over the images that have a predicate; predicates that none has count as 0',
    'sgdet',
    [
      [OBJECTS, [[0, 1, 'on']]],
      [
        [...OBJECTS, [[10, 300, 109, 399], 'chair']],
        [
          [0, 1, 'on'],
          [1, 0, 'on'],
          [0, 2, 'on'],
        ],
      ],
      unseen,
    ],
    [
      [SEEN, [[0, 1, [0.6, 0.3, 0.05]]]],
      [SEEN, [[0, 1, [0.1, 0.3, 0.05]]]],
    ],
    { 'R@100': 0.5, 'mR@100': 0.5 / 3 },
  ],
  [
    'a prediction finds equal relations together',
    'sgdet',
    [
      [
        OBJECTS,
        [
          [0, 1, 'on'],
          [0, 1, 'on'],
        ],
      ],
    ],
    [[SEEN, [[0, 1, [0.6, 0.3, 0.05]]]]],
    { 'R@100': 1, 'ngR@100': 1 },
  ],
  [
    'half of the rows are enough, with the extra pixel',
    'sgdet',
    [[OBJECTS, [[0, 1, 'on']]]],
    [[[[rows(cup, 50), 'cup', 0.9], SEEN[1]!], [[0, 1, [0.6, 0.3, 0.05]]]]],
    { 'R@100': 1 },
  ],
  [
    'less than half of the rows is not',
    'sgdet',
    [[OBJECTS, [[0, 1, 'on']]]],
    [[[[rows(cup, 49), 'cup', 0.9], SEEN[1]!], [[0, 1, [0.6, 0.3, 0.05]]]]],
    { 'R@100': 0 },
  ],
  [
    'the constraint keeps the order of the file, without it predictions are sorted',
    'sgdet',
    [[OBJECTS, [[0, 1, 'on']]]],
    [
      [
        [...SEEN, ...Array.from({ length: 110 }, (_, k) => [[10 + k, 10, 40 + k, 40], 'chair', 0.9] as const)],
        [...Array.from({ length: 110 }, (_, k) => [2 + k, 0, [0.1, 0.05, 0.01]] as const), [0, 1, [0.9, 0.1, 0.1]]],
      ],
    ],
    { 'R@100': 0, 'ngR@100': 1 },
  ],
  [
    'predcls takes the true boxes and labels',
    'predcls',
    [[OBJECTS, [[0, 1, 'on']]]],
    [
      [
        [
          [[1, 1, 5, 5], 'chair', 0.9],
          [[7, 7, 9, 9], 'chair', 0.8],
        ],
        [[0, 1, [0.6, 0.3, 0.05]]],
      ],
    ],
    { 'R@100': 1, 'A@20': 1 },
  ],
  [
    'accuracy keeps true pairs alone before the cut',
    'sgcls',
    [
      [
        [...OBJECTS, [[10, 300, 109, 399], 'chair']],
        [
          [0, 1, 'on'],
          [0, 2, 'near'],
        ],
      ],
    ],
    [
      [
        [...SEEN, [[10, 300, 109, 399], 'chair', 0.9]],
        [
          ...Array.from({ length: 20 }, () => [1, 0, [0.9, 0.1, 0.1]] as const),
          [0, 1, [0.6, 0.3, 0.05]],
          [0, 2, [0.6, 0.3, 0.05]],
        ],
      ],
    ],
    { 'R@20': 0, 'A@20': 0.5, 'R@50': 0.5 },
  ],
];

describe('relflow evaluate scene-graphs', () => {
  for (const [name, mode, truth, found, expected] of CASES)
    it(name, async () => {
      const { metrics } = await evaluate(mode, truth, found);
      for (const [metric, value] of Object.entries(expected))
        assert.ok(Math.abs(metrics[metric] - value!) < 1e-9, `${metric} is ${metrics[metric]}, expected ${value}`);
    });

  it('reports zero-shot recall over images that have such triplets, if training graphs are given', async () => {
    const truth: Truth[] = [
      [
        OBJECTS,
        [
          [0, 1, 'on'],
          [1, 0, 'has'],
        ],
      ],
      [OBJECTS, [[1, 0, 'has']]],
    ];
    const found: Found[] = [
      [SEEN, [[0, 1, [0.6, 0.3, 0.05]]]],
      [SEEN, [[1, 0, [0.1, 0.3, 0.05]]]],
    ];
    const training = graphs('training', [[OBJECTS, [[1, 0, 'has']]]]);
    const { metrics, counts } = await evaluate('sgdet', truth, found, '--training', training);
    assert.equal(metrics['zR@100'], 1);
    assert.equal(counts['images-with-zero-shot-relations'], 1);
    const without = await evaluate('sgdet', truth, found);
    assert.equal(without.metrics['zR@100'], undefined);
    assert.equal(without.protocol['zero-shot recall'], 'off: no training graphs');
  });

  it('reads run folders and globs as the truth, and names their files', async () => {
    const truth: Truth[] = [[OBJECTS, [[0, 1, 'on']]], unseen];
    const found: Found[] = [
      [SEEN, [[0, 1, [0.6, 0.3, 0.05]]]],
      [SEEN, [[0, 1, [0.6, 0.3, 0.05]]]],
    ];
    const expected = await evaluate('predcls', truth, found);
    const out = join(temporaryFolder(), 'truth');
    const graph = new Graph('copy');
    graph.from(sceneGraphLines({ sceneGraphs: graphs('run', truth) })).to(sceneGraphs());
    await run(graph, { out, shardRecords: 1 });
    const args = ['evaluate', 'scene-graphs', predictions(found), '--mode', 'predcls', '--json', '--training', out];
    for (const [path, names] of [
      [out, ['predictions', 'annotations', 'training']],
      [join(out, 'scene-graphs', '*.jsonl'), ['predictions', 'annotations 1', 'annotations 2', 'training']],
    ] as const) {
      const { code, stdout, stderr } = await relflow([...args, path]);
      assert.equal(code, 0, stderr);
      const { metrics, files } = JSON.parse(stdout);
      assert.equal(metrics['R@20'], expected.metrics['R@20']);
      assert.equal(metrics['zR@20'], null);
      assert.deepEqual(Object.keys(files), names);
    }
  });

  it("gives COCO's average precision of objects, in which the very first true box cannot be found", async () => {
    const truth: Truth[] = [
      [OBJECTS, [[0, 1, 'on']]],
      [OBJECTS, [[0, 1, 'on']]],
    ];
    const { metrics } = await evaluate('sgdet', truth, [
      [SEEN, []],
      [SEEN, []],
    ]);
    // Of two cups the first is not found, although both are predicted: precision 1/2 at recall 1/2; tables: 1.
    assert.ok(Math.abs(metrics.mAP50 - (51 * 0.5) / 101 / 2 - 0.5) < 1e-9, `${metrics.mAP50}`);
  });

  it('refuses fused scores, missing objects and unknown images', async () => {
    const run = async (file: string, mode: string, truth = graphs('t', [[OBJECTS, [[0, 1, 'on']]]])) =>
      (await relflow(['evaluate', 'scene-graphs', file, truth, '--mode', mode])).stderr;
    const pairs: Found = [SEEN, [[0, 1, [0.6, 0.3, 0.05]]]];
    assert.match(await run(predictions([pairs], { fused: true }), 'sgdet'), /fused is true, .* expected false/);
    assert.match(await run(predictions([[SEEN.slice(0, 1), []]]), 'sgcls'), /has 1 objects, expected the 2/);
    assert.match(await run(predictions([pairs, pairs]), 'sgdet'), /image \{"id":2\} is not among the images/);
  });
});
