import assert from 'node:assert/strict';
import { Random } from '../../../src/records/random.js';
import { type Arrow, arrowBetween, pointOn } from '../../../src/view/page/drawing/arrow.js';
import { contains, type Rectangle, sharedArea } from '../../../src/view/page/drawing/rectangle.js';

/** Share of an arrow that is more than 2 pixels within a box. */
function shareWithin(arrow: Arrow, { x, y, width, height }: Rectangle): number {
  const core = { x: x + 2, y: y + 2, width: width - 4, height: height - 4 };
  const points = Array.from({ length: 101 }, (_, step) => pointOn(arrow, step / 100));
  return points.filter((point) => contains(core, point)).length / points.length;
}

const lengthOf = ({ from, to }: Arrow) => Math.hypot(to.x - from.x, to.y - from.y);

describe('arrowBetween', () => {
  it('leaves small boxes free, wherever they are', () => {
    const random = new Random(1);
    const box = (least: number, most: number): Rectangle => {
      const [width, height] = [least + (most - least) * random.next(), least + (most - least) * random.next()];
      return { x: 60 + 500 * random.next(), y: 60 + 400 * random.next(), width, height };
    };
    for (let round = 0; round < 2000; round++) {
      const small = box(8, 70);
      const other = box(8, 300);
      if (sharedArea(small, other) > 0) continue;
      for (const [subject, object] of [
        [small, other],
        [other, small],
      ] as const) {
        const arrow = arrowBetween(subject, object, 0);
        assert.ok(shareWithin(arrow, small) <= 0.02, JSON.stringify({ subject, object }));
        assert.ok(lengthOf(arrow) >= 6, JSON.stringify({ subject, object }));
      }
    }
  });

  it('points at a small box within the other one from next to it, and out of it the other way', () => {
    const person = { x: 100, y: 50, width: 200, height: 400 };
    for (const [x, y] of [
      [180, 230],
      [110, 60],
      [230, 380],
    ] as const) {
      const cup = { x, y, width: 40, height: 30 };
      const [to, from] = [arrowBetween(person, cup, 0), arrowBetween(cup, person, 0)];
      assert.equal(shareWithin(to, cup), 0);
      assert.ok(shareWithin(to, person) > 0.9);
      assert.deepEqual([from.from, from.to], [to.to, to.from]);
      assert.notDeepEqual(arrowBetween(person, cup, 1), to, 'a second relation bends differently');
    }
  });

  it('goes around two small boxes that fill each other', () => {
    const one = { x: 100, y: 100, width: 40, height: 40 };
    for (const other of [
      { ...one },
      { x: 96, y: 98, width: 46, height: 44 },
      { x: 120, y: 104, width: 44, height: 40 },
    ]) {
      const arrow = arrowBetween(one, other, 0);
      assert.ok(shareWithin(arrow, one) <= 0.1 && shareWithin(arrow, other) <= 0.1);
      assert.ok(lengthOf(arrow) >= 12);
    }
  });

  it('starts at the center of a large subject', () => {
    const arrow = arrowBetween({ x: 0, y: 0, width: 200, height: 200 }, { x: 400, y: 0, width: 200, height: 200 }, 0);
    assert.deepEqual(arrow.from, { x: 100, y: 100 });
    assert.ok(Math.abs(arrow.to.x - 400) < 1);
  });
});
