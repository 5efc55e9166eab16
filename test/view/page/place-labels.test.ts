import assert from 'node:assert/strict';
import { Random } from '../../../src/records/random.js';
import { isWithin, type Rectangle, sharedArea } from '../../../src/view/page/drawing/rectangle.js';
import type { SceneContents } from '../../../src/view/page/drawing/scene.js';
import { layOutScene } from '../../../src/view/page/drawing/scene.js';

const SCREEN: Rectangle = { x: 0, y: 0, width: 960, height: 640 };
const CATEGORIES = ['person', 'chair', 'dining table', 'cup', 'wine glass', 'umbrella'];
const PREDICATES = ['on', 'next to', 'sitting at', 'holding', 'left of'];

/** Boxes that crowd together around a few places, with relations between neighbors. */
function crowd(seed: number, boxes: number, relations: number): SceneContents {
  const random = new Random(seed);
  const centers = Array.from({ length: 4 }, () => [200 + 560 * random.next(), 150 + 340 * random.next()] as const);
  const objects = Array.from({ length: boxes }, (_, index) => {
    const [cx, cy] = centers[index % centers.length]!;
    const [width, height] = [20 + 110 * random.next(), 20 + 110 * random.next()];
    const [x, y] = [cx - width / 2 + 180 * (random.next() - 0.5), cy - height / 2 + 140 * (random.next() - 0.5)];
    const box = [x, y, width, height] as const;
    return { id: String(index), category: CATEGORIES[index % CATEGORIES.length]!, box, score: null };
  });
  return {
    size: SCREEN,
    objects,
    relations: Array.from({ length: relations }, (_, index) => ({
      key: `r${index}`,
      look: 'plain' as const,
      subject: index % boxes,
      object: (index * 7 + 4) % boxes,
      predicate: PREDICATES[index % PREDICATES.length]!,
    })),
    litObjects: new Set(),
    litRelation: null,
    labels: 'names',
  };
}

const layOut = (contents: SceneContents) =>
  layOutScene(contents, { scale: 1, x: 0, y: 0 }, SCREEN, (text) => 6.4 * text.length);
const labelsOf = ({ boxes, relations }: ReturnType<typeof layOut>) =>
  [...boxes, ...relations].flatMap(({ label }) => (label ? [label] : []));

describe('layOutScene: labels', () => {
  it('never overlap and stay on the screen, in crowds of 30 boxes with 20 relations', () => {
    let [placed, wanted] = [0, 0];
    for (let seed = 1; seed <= 20; seed++) {
      const scene = layOut(crowd(seed, 30, 20));
      const labels = labelsOf(scene);
      for (const [at, label] of labels.entries()) {
        assert.ok(isWithin(label, SCREEN));
        for (const other of labels.slice(at + 1)) assert.equal(sharedArea(label, other), 0);
      }
      assert.equal(scene.hidden, 50 - labels.length);
      placed += labels.length;
      wanted += 50;
    }
    // 1000 labels: what has no room is left out, which must stay rare.
    assert.ok(placed >= 0.99 * wanted, `${placed} of ${wanted} labels have a place`);
  });

  it('say the numbers of boxes alone where names would cover too much of the picture, but the names of lit boxes', () => {
    const many = layOut({ ...crowd(2, 60, 0), labels: 'auto', litObjects: new Set([4]) });
    assert.ok(many.isShort);
    assert.equal(many.boxes[3]!.text, '3');
    assert.equal(many.boxes[4]!.text, '4 wine glass');
    assert.equal(layOut({ ...crowd(2, 10, 0), labels: 'auto' }).boxes[3]!.text, '3 cup');
    // The legend of short labels takes a part of the screen, which must not make them long again.
    for (let boxes = 10; boxes < 60; boxes++) {
      const contents = { ...crowd(2, boxes, 0), labels: 'auto' as const };
      const [whole, lower] = [SCREEN, { ...SCREEN, y: 60, height: SCREEN.height - 60 }].map(
        (screen) => layOutScene(contents, { scale: 1, x: 0, y: 0 }, screen, (text) => 6.4 * text.length).isShort,
      );
      assert.equal(whole, lower, `${boxes} boxes`);
    }
  });

  it('are the same for the same input', () => {
    assert.deepEqual(layOut(crowd(3, 30, 20)), layOut(crowd(3, 30, 20)));
  });

  it('of the lit relation stay where hundreds have no room', () => {
    const contents = crowd(5, 200, 200);
    const scene = layOut({ ...contents, litRelation: 'r7', litObjects: new Set([7, 53]) });
    assert.ok(scene.hidden > 0);
    assert.ok(scene.relations[7]!.label);
    assert.ok(scene.boxes[7]!.label);
    assert.ok(scene.boxes[53]!.label);
  });

  it('stand over the top left corner of a box that is alone', () => {
    const [box] = layOut({
      size: SCREEN,
      objects: [{ id: '1', category: 'cat', box: [100, 100, 300, 200], score: null }],
      relations: [],
      litObjects: new Set(),
      litRelation: null,
      labels: 'names',
    }).boxes;
    assert.equal(box!.text, '0 cat');
    assert.deepEqual([box!.label!.x, box!.label!.y + box!.label!.height], [100, 100]);
  });
});
