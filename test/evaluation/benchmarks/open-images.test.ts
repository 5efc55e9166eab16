import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { relflow } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';
import { writePredictions } from '../../support/prediction-files.js';

type Box = readonly number[];
/** Boxes with the number of their category, and relations: subject, object, predicate. */
type Truth = readonly [objects: readonly (readonly [Box, number])[], relations: readonly Box[]];
/** Boxes of subject and object, the category of the object, and the scores of holds and on. */
type Pair = readonly [subject: Box, object: Box, category: string, holds: number, on: number];

const folder = temporaryFolder();
let files = 0;
const at = (name: string, value: unknown) => {
  const path = join(folder, `${++files}-${name}`);
  writeFileSync(path, JSON.stringify(value));
  return path;
};

const NAMES = ['Man', 'Dog', 'Chair'];
const categories = at('categories.json', { obj: NAMES, rel: ['holds', 'on'] });
const man = [20, 40, 119, 139];
const dog = [220, 40, 319, 139];
const least = 1e-5;
/** A man who holds a dog. */
const holding: Truth = [
  [
    [man, 0],
    [dog, 1],
  ],
  [[0, 1, 0]],
];
const right: Pair = [man, dog, 'Dog', 0.9, least];
const rows = (box: Box, count: number) => [box[0]!, box[1]!, box[2]!, box[1]! + count - 1];

const annotations = (images: readonly Truth[]) =>
  at(
    'annotations.json',
    images.map(([objects, relations], k) => ({
      file_name: `${k}.jpg`,
      annotations: objects.map(([bbox, category_id]) => ({ bbox, category_id })),
      rel_annotations: relations.map(([subject_id, object_id, category_id]) => ({
        subject_id,
        object_id,
        category_id,
      })),
    })),
  );

async function evaluate(truth: readonly Truth[], found: readonly (readonly Pair[])[], ...flags: string[]) {
  const predictions = writePredictions(
    join(folder, `${++files}.jsonl`),
    { objects: NAMES, predicates: ['holds', 'on'], fused: false },
    found.map((pairs, k) => [
      { file: `${k}.jpg` },
      pairs.map(([subject, object, category, holds, on]) => ({
        subject,
        object,
        categories: ['Man', category],
        scores: [holds, on],
        objectScores: [1, 1],
      })),
    ]),
  );
  const args = ['evaluate', 'open-images', predictions, annotations(truth), '--categories', categories, '--json'];
  const { code, stdout, stderr } = await relflow([...args, ...flags]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Expected metrics of RLIPv2's evaluator with its mistake and of the challenge's. */
type Case = readonly [string, readonly Truth[], readonly (readonly Pair[])[], Metrics, Metrics];
type Metrics = Readonly<Record<string, number>>;

const sitting: Truth = [
  [
    [man, 0],
    [dog, 2],
  ],
  [[0, 1, 1]],
];
const CASES: readonly Case[] = [
  [
    'weighs triplet classes or predicates by their relations',
    [holding, holding, holding, sitting],
    [[right], [[man, dog, 'Dog', 0.8, least]], [[man, dog, 'Dog', 0.7, least]], []],
    {
      recall_50: 0.75,
      relations_mAP: 0.5,
      relations_wmAP: 0.75,
      phrases_mAP: 0.5,
      phrases_wmAP: 0.75,
      // The chair is in no prediction, so that its class does not count.
      phrases_recall_100: 1,
      score_wmAP: 0.75,
    },
    { R50: 0.75, mAP_rel: 0.5, wmAP_rel: 0.75, mAP_phr: 0.5, wmAP_phr: 0.75, w_final_score: 0.75 },
  ],
  [
    'an IoU of exactly 0.5 is enough, but not for the average precision of the challenge',
    [holding],
    [[[rows(man, 50), dog, 'Dog', 0.9, least]]],
    { recall_50: 1, relations_mAP: 1, phrases_mAP: 1, score_wmAP: 1 },
    { R50: 1, mAP_rel: 0, wmAP_rel: 0, mAP_phr: 0.5, wmAP_phr: 1, w_final_score: 0.6 },
  ],
  [
    'only the union must fit for a phrase',
    [holding],
    [[[rows(man, 49), dog, 'Dog', 0.9, least]]],
    { recall_50: 0, relations_mAP: 0, phrases_mAP: 1, score_wmAP: 0.4 },
    { R50: 0, mAP_rel: 0, wmAP_phr: 1, w_final_score: 0.4 },
  ],
  [
    'the challenge takes two predicates of a pair, and no score of 0.00001 or less',
    [
      [
        holding[0],
        [
          [0, 1, 0],
          [0, 1, 1],
        ],
      ],
    ],
    [[[man, dog, 'Dog', 0.9, 0.2]]],
    { recall_50: 1, relations_mAP: 1, phrases_mAP: 1 },
    { R50: 1, mAP_rel: 1, mAP_phr: 1, w_final_score: 1 },
  ],
  [
    'of two relations the challenge leaves out the one whose score is 0.00001',
    [
      [
        holding[0],
        [
          [0, 1, 0],
          [0, 1, 1],
        ],
      ],
    ],
    [[right]],
    { recall_50: 1 },
    { R50: 0.5 },
  ],
  [
    'in images without boxes relations are not counted and phrases are wrong; the challenge leaves the images out',
    [holding, [[], []]],
    [[[man, dog, 'Dog', 0.5, least]], [right]],
    { recall_50: 1, relations_mAP: 1, phrases_mAP: 0.5, score_wmAP: 0.8 },
    { R50: 1, wmAP_rel: 1, wmAP_phr: 1, w_final_score: 1 },
  ],
];

const isNear = (actual: Metrics, expected: Metrics) => {
  for (const [name, value] of Object.entries(expected))
    assert.ok(Math.abs(actual[name]! - value) < 1e-9, `${name} is ${actual[name]}, expected ${value}`);
};

describe('relflow evaluate open-images', () => {
  for (const [name, truth, found, rlipv2, challenge] of CASES)
    it(name, async () => {
      isNear((await evaluate(truth, found, '--compat')).metrics, rlipv2);
      isNear((await evaluate(truth, found, '--evaluator', 'challenge')).metrics, challenge);
    });

  it("looks up each phrase's own overlaps, and those of another one with --compat", async () => {
    const far = [420, 240, 519, 339];
    const chair = [4, 4, 50, 50];
    const truth: Truth = [
      [
        [man, 0],
        [dog, 1],
        [chair, 2],
      ],
      [
        [0, 1, 0],
        [0, 2, 1],
      ],
    ];
    const found: readonly Pair[] = [
      right,
      [man, chair, 'Chair', least, 0.8],
      [[20, 240, 119, 339], far, 'Dog', 0.7, least],
    ];
    const [own, mistaken] = [await evaluate([truth], [found]), await evaluate([truth], [found], '--compat')];
    isNear(own.metrics, { phrases_mAP: 1 });
    isNear(mistaken.metrics, { phrases_mAP: 0.5, score_wmAP: 0.8, relations_mAP: 1 });
    assert.equal(mistaken.protocol['overlaps of phrases'], 'looked up by mistake as in RLIPv2');
  });

  it('suppresses near copies unless --no-nms is given, and names what does not fit', async () => {
    const copies: readonly Pair[] = [right, [[20, 41, 119, 140], dog, 'Dog', 0.8, least]];
    assert.equal((await evaluate([holding], [copies])).counts['predictions-suppressed'], 2);
    assert.equal((await evaluate([holding], [copies], '--no-nms')).counts['predictions-suppressed'], 0);
    const bad = annotations([[[[man, 7]], []]]);
    const run = async (...args: string[]) => (await relflow(['evaluate', 'open-images', ...args])).stderr;
    const found = writePredictions(join(folder, 'x.jsonl'), { objects: NAMES, predicates: ['holds'], fused: true }, []);
    assert.match(await run(found, bad), /--categories, or categories_dict\.json next to the annotations/);
    cpSync(categories, join(folder, 'categories_dict.json'));
    assert.match(
      await run(found, bad),
      /image 0\.jpg: the category 7 is not in .*categories_dict\.json, which lists 3/,
    );
    assert.match(
      await run(found, bad, '--categories', categories),
      /image 0\.jpg: the category 7 is not in .* lists 3/,
    );
    assert.match(
      await run(found, bad, '--categories', categories, '--evaluator', 'challenge', '--compat'),
      /--compat and --no-nms have no effect/,
    );
  });
});
