import assert from 'node:assert/strict';
import type { Relation, SceneGraph } from '../../src/records/scene-graph.js';
import type { CompareDetail, ComparePage, SetInfo } from '../../src/view/view-api.js';
import { setOf, type TestView, viewOf } from '../support/view-server.js';

type Objects = readonly (readonly [id: number, category: string, x: number])[];

function graphOf(
  id: number,
  file: string,
  objects: Objects,
  relations: readonly (readonly [number, string, number | null])[],
) {
  return {
    format: 'relflow.scene-graph/1',
    image: { id, file, width: 200, height: 100, dataset: 'set', split: '' },
    objects: objects.map(([object, category, x]) => ({ id: object, category, box: [x, 10, 20, 20] })),
    captions: [],
    relations: relations.map(
      ([subject, predicate, object]): Relation => ({ subject, predicate, object, confidence: 0.5, captions: [] }),
    ),
    provenance: { origin: { source: 'test', file: '' }, operators: [], tagger: null },
  } satisfies SceneGraph as SceneGraph;
}

const BOXES: Objects = [
  [1, 'man', 0],
  [2, 'horse', 50],
  [3, 'dog', 100],
];

describe('view with another set', () => {
  let view: TestView;
  before(async () => {
    const here = [
      graphOf(1, 'a/1.jpg', BOXES, [
        [0, 'riding', 1],
        [2, 'near', 1],
        [2, 'near', 1],
      ]),
      graphOf(2, 'a/2.jpg', BOXES, [
        [0, 'on', 1],
        [1, 'under', 0],
        [0, 'sitting', null],
      ]),
      graphOf(3, 'a/3.jpg', BOXES, [[0, 'on', 1]]),
      graphOf(4, 'a/4.jpg', BOXES, [[0, 'on', 1]]),
    ];
    const there = [
      // The objects have other ids and another order, and their boxes are not quite the same.
      graphOf(
        20,
        'b/2.jpg',
        [
          [7, 'horse', 52],
          [8, 'man', 3],
        ],
        [
          [1, 'on', 0],
          [1, 'sitting', null],
          [0, 'leading', 1],
        ],
      ),
      graphOf(1, 'b/1.jpg', BOXES, [
        [0, 'riding', 1],
        [2, 'near', 1],
        [1, 'near', 2],
      ]),
      graphOf(
        3,
        'b/3.jpg',
        [
          [1, 'man', 120],
          [2, 'horse', 160],
        ],
        [[0, 'on', 1]],
      ),
      graphOf(9, 'b/9.jpg', BOXES, []),
    ];
    view = await viewOf(here, { compare: await setOf(there) });
  });
  after(() => view.view.close());

  it('counts what only one of them has, the images with the most differences first', async () => {
    const page = await view.get<ComparePage>('/api/compare');
    assert.deepEqual(
      page.images.map(({ id, onlyHere, onlyThere, both, isInOther }) => [id, onlyHere, onlyThere, both, isInOther]),
      [
        ['1', 1, 1, 2, true],
        ['2', 1, 1, 2, true],
        // The boxes are elsewhere.
        ['3', 1, 1, 0, true],
        ['4', 1, 0, 0, false],
      ],
    );
    assert.deepEqual(page.totals, { onlyHere: 4, onlyThere: 3, both: 4, imagesOnlyHere: 1, imagesOnlyThere: 1 });
    assert.deepEqual(page.predicates[0], { predicate: 'leading', here: 0, there: 1 });
    const filtered = await view.get<ComparePage>('/api/compare?predicate=riding');
    assert.deepEqual([filtered.total, filtered.totals.both], [1, 2]);
    assert.match((await view.get<SetInfo>('/api/set')).compare!.name, /graphs\.jsonl/);
  });

  it('shows which relations of an image both have', async () => {
    const first = await view.get<CompareDetail>('/api/compare/0');
    assert.deepEqual(first.hereToThere, [0, 1, null]);
    assert.deepEqual(first.thereToHere, [0, 1, null]);
    const second = await view.get<CompareDetail>('/api/compare/1');
    assert.equal(second.there?.id, '20');
    assert.deepEqual(second.hereToThere, [0, null, 1]);
    assert.deepEqual(second.thereToHere, [0, 2, null]);
    const missing = await view.get<CompareDetail>('/api/compare/3');
    assert.deepEqual([missing.there, missing.hereToThere], [null, [null]]);
    assert.equal((await view.fetch('/api/compare/99')).status, 404);
  });

  it('is refused when it is the same', async () => {
    const graphs = [graphOf(1, '1.jpg', BOXES, [])];
    const compare = await setOf(graphs);
    const { startView } = await import('../../src/view/server/start-view.js');
    await assert.rejects(startView(compare, { compare }), /--compare is the same set as graphs\.jsonl/);
  });
});
