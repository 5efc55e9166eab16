import assert from 'node:assert/strict';
import { firstValueFrom, of } from 'rxjs';
import { type GeometryOptions, geometry, type Related, type Relation } from '../../src/index.js';
import { type Boxes, imageRecord } from '../support/records.js';

/** Returns what the operator adds for boxes in an image of 640 x 480 pixels, as `subject predicate object`. */
async function added(boxes: Boxes, options?: GeometryOptions, relations: readonly Relation[] = []): Promise<string[]> {
  const record: ReturnType<typeof imageRecord> & Related = { ...imageRecord(1, boxes), relations, tagger: null };
  const result = await firstValueFrom(of(record).pipe(geometry(options)));
  assert.deepEqual(result.relations.slice(0, relations.length), relations);
  const own = result.relations.slice(relations.length);
  assert.ok(own.every(({ source, confidence = 0 }) => source === 'geometry' && confidence >= 0.8 && confidence <= 1));
  return own.map(({ subject, predicate, object }) => `${subject} ${predicate} ${object}`);
}

describe('geometry', () => {
  it('says on which side a thing is, from the larger one, and next to only if both are level and close', async () => {
    assert.deepEqual(
      await added([
        ['dog', 50, 200, 90, 100],
        ['car', 250, 180, 200, 130],
      ]),
      ['0 left of 1'],
    );
    assert.deepEqual(
      await added([
        ['giraffe', 100, 100, 150, 300],
        ['giraffe', 280, 110, 140, 295],
      ]),
      ['1 next to 0'],
    );
    const farAway = await added([
      ['dog', 10, 200, 40, 40],
      ['car', 560, 180, 60, 60],
    ]);
    assert.deepEqual(farAway, []);
    const oneHigher = await added([
      ['dog', 100, 20, 100, 100],
      ['car', 250, 300, 100, 100],
    ]);
    assert.deepEqual(oneHigher, []);
  });

  it('says above of what hangs wherever it is seen, never of what may be farther away', async () => {
    assert.deepEqual(
      await added([
        ['clock', 300, 20, 60, 60],
        ['person', 260, 120, 140, 300],
      ]),
      ['0 above 1'],
    );
    assert.deepEqual(
      await added([
        ['kite', 200, 20, 250, 160],
        ['person', 300, 300, 60, 150],
      ]),
      ['1 below 0'],
    );
    assert.deepEqual(
      await added([
        ['airplane', 200, 100, 250, 60],
        ['bus', 220, 170, 120, 60],
      ]),
      [],
      'an airplane may stand on the ground',
    );
  });

  it('says on of small things within a table, and of people on boards and what is ridden', async () => {
    const table = ['dining table', 0, 200, 640, 280] as const;
    assert.deepEqual(await added([table, ['cup', 300, 300, 50, 60]]), ['1 on 0']);
    const held = await added([table, ['cup', 300, 300, 50, 60], ['person', 250, 100, 200, 290]]);
    assert.ok(!held.includes('1 on 0'), 'a person may hold it');
    assert.deepEqual(
      await added([
        ['person', 280, 100, 90, 200],
        ['surfboard', 250, 280, 180, 40],
      ]),
      ['0 on 1'],
    );
    assert.deepEqual(
      await added([
        ['person', 280, 80, 100, 220],
        ['horse', 220, 180, 260, 240],
      ]),
      ['0 on 1'],
    );
    const standing = await added([
      ['person', 280, 80, 100, 345],
      ['horse', 220, 180, 260, 240],
    ]);
    assert.ok(!standing.includes('0 on 1'));
  });

  it('says in of food in a bowl, and behind of the smaller of two of a kind that overlap', async () => {
    assert.deepEqual(
      await added([
        ['bowl', 200, 200, 200, 150],
        ['orange', 250, 220, 90, 90],
      ]),
      ['1 in 0'],
    );
    assert.deepEqual(
      await added([
        ['person', 200, 100, 140, 340],
        ['person', 300, 120, 90, 220],
      ]),
      ['1 behind 0'],
    );
    const picture = await added([
      ['person', 200, 100, 140, 340],
      ['person', 220, 150, 60, 100],
    ]);
    assert.deepEqual(picture, [], 'one within the other may be its picture');
  });

  it('is silent about tiny boxes, equal boxes and pairs that have a relation', async () => {
    const pair: Boxes = [
      ['dog', 50, 200, 90, 100],
      ['car', 250, 180, 200, 130],
    ];
    assert.deepEqual(await added([['dog', 50, 200, 10, 10], pair[1]!]), []);
    assert.deepEqual(
      await added([
        ['dog', 50, 200, 90, 100],
        ['cat', 51, 201, 90, 100],
      ]),
      [],
    );
    const said: Relation = { subject: 1, object: 0, predicate: 'chasing', confidence: 0.9, captions: [0] };
    assert.deepEqual(await added(pair, {}, [said]), []);
  });

  it('adds a bounded number to an image and to a box, the largest boxes first', async () => {
    const row: Boxes = Array.from({ length: 30 }, (_, at) => ['person', 21 * at, 100, 20, 100 - at] as const);
    const twelve = await added(row);
    assert.equal(twelve.length, 12);
    const perBox = new Map<string, number>();
    for (const text of twelve) for (const end of text.match(/\d+/g)!) perBox.set(end, (perBox.get(end) ?? 0) + 1);
    assert.ok(Math.max(...perBox.values()) <= 3);
    assert.ok(
      twelve.every((text) => text.match(/\d+/g)!.every((end) => Number(end) < 15)),
      twelve.join('; '),
    );
    assert.equal((await added(row, { maxPerImage: 2, maxPerBox: 1 })).length, 2);
    const crowd: Boxes = Array.from(
      { length: 10_000 },
      (_, at) => ['person', (37 * at) % 600, (53 * at) % 400, 30, 60] as const,
    );
    assert.ok((await added(crowd)).length <= 12);
  });

  it('refuses limits that are not whole numbers above 0', () => {
    assert.throws(() => geometry({ maxPerBox: 0 }), /geometry: maxPerBox 0, expected a whole number of at least 1/);
  });
});
