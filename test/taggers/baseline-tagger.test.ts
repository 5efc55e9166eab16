import assert from 'node:assert/strict';
import { firstValueFrom, of } from 'rxjs';
import { baselineTagger, match, pair, parse, tag } from '../../src/index.js';
import { type Boxes, captionedRecord } from '../support/records.js';

describe('baselineTagger', () => {
  const scores = async (boxes: Boxes, ...texts: string[]) => {
    const record = captionedRecord(boxes, ...texts);
    const found = await firstValueFrom(
      of(record).pipe(parse(), match(), pair(), tag(baselineTagger(), { threshold: 0 })),
    );
    return new Map(found.relations.map((r) => [`${r.subject} ${r.predicate} ${r.object}`, r.confidence!]));
  };

  /** Returns the score of the first relation relative to the second. */
  const ratio = (found: ReadonlyMap<string, number>, first: string, second: string) =>
    found.get(first)! / (found.get(second) ?? 0);

  it('prefers the rider on the horse to the person next to it', async () => {
    const found = await scores(
      [
        ['person', 100, 50, 40, 80],
        ['person', 400, 100, 40, 100],
        ['horse', 80, 100, 120, 100],
      ],
      'a man riding a horse',
    );
    assert.ok(ratio(found, '0 riding 2', '1 riding 2') > 5);
  });

  it('distinguishes above from under, and behind from in front', async () => {
    const boxes: Boxes = [
      ['dog', 100, 200, 60, 40],
      ['dog', 110, 90, 60, 40],
      ['bench', 90, 120, 120, 80],
    ];
    const found = await scores(
      boxes,
      'a dog under a bench',
      'a dog on a bench',
      'a dog in front of a bench',
      'a dog behind a bench',
    );
    assert.ok(ratio(found, '0 under 2', '1 under 2') > 2);
    assert.ok(ratio(found, '1 on 2', '0 on 2') > 2, JSON.stringify([...found]));
    assert.ok(ratio(found, '0 in front of 2', '1 in front of 2') > 1.5);
    assert.ok(ratio(found, '1 behind 2', '0 behind 2') > 1.5);
  });

  it('is sure of the only possible pair, however many captions say it, and less of one of many', async () => {
    const two: Boxes = [
      ['dog', 100, 100, 60, 40],
      ['bench', 90, 120, 120, 80],
    ];
    const once = await scores(two, 'a dog on a bench');
    const twice = await scores(two, 'a dog on a bench', 'a small dog on a wooden bench');
    assert.ok(once.get('0 on 1')! > 0.9);
    assert.ok(twice.get('0 on 1')! > once.get('0 on 1')!);
    const far = await scores(
      [
        ['dog', 0, 300, 60, 40],
        ['bench', 500, 0, 90, 60],
      ],
      'a dog on a bench',
    );
    assert.ok(far.get('0 on 1')! > 0.9, 'the only dog and the only bench');
    const row = (count: number): Boxes =>
      Array.from({ length: count }, (_, at) => [at % 2 ? 'dog' : 'bench', 40 * at, 100, 60, 60] as const);
    const crowd = await scores(row(12), 'dogs next to benches');
    assert.ok(
      [...crowd.values()].every((score) => score < 0.8),
      String([...crowd.values()]),
    );
  });

  it('takes as many subjects as the number words of the captions mean', async () => {
    const boxes: Boxes = [
      ['person', 100, 50, 40, 80],
      ['person', 150, 50, 35, 75],
      ['horse', 80, 100, 120, 100],
    ];
    const one = await scores(boxes, 'a man riding a horse');
    const both = await scores(boxes, 'two men riding a horse');
    assert.equal(one.get('0 riding 2'), both.get('0 riding 2'));
    assert.ok(one.get('1 riding 2')! < both.get('1 riding 2')!);
  });

  describe('on boxes as photographs have them', () => {
    it('a truck behind a sign that hangs before it', async () => {
      const boxes: Boxes = [
        ['truck', 100, 150, 400, 250],
        ['truck', 520, 260, 100, 60],
        ['stop sign', 250, 60, 120, 130],
      ];
      const found = await scores(boxes, 'A truck behind a stop sign.');
      assert.ok(ratio(found, '0 behind 2', '1 behind 2') > 2 && found.get('0 behind 2')! > 0.5);
    });

    it('a sandwich on a table that fills the image', async () => {
      const boxes: Boxes = [
        ['sandwich', 200, 280, 200, 150],
        ['sandwich', 20, 5, 60, 50],
        ['dining table', 0, 60, 640, 420],
      ];
      const found = await scores(boxes, 'A sandwich on a table.');
      assert.ok(ratio(found, '0 on 2', '1 on 2') > 1.5 && found.get('0 on 2')! > 0.5);
    });

    it('a man holding a kite that is above his head', async () => {
      const boxes: Boxes = [
        ['person', 280, 260, 80, 200],
        ['person', 20, 300, 60, 150],
        ['kite', 270, 80, 140, 90],
      ];
      const found = await scores(boxes, 'A man holding a kite.');
      assert.ok(ratio(found, '0 holding 2', '1 holding 2') > 2 && found.get('0 holding 2')! > 0.5);
    });

    it('the woman who is under the umbrella, not the one at its side', async () => {
      const boxes: Boxes = [
        ['person', 200, 180, 100, 280],
        ['person', 371, 230, 100, 250],
        ['umbrella', 150, 90, 220, 140],
      ];
      const found = await scores(boxes, 'A woman standing under an umbrella.');
      assert.ok(ratio(found, '0 standing under 2', '1 standing under 2') > 2 && found.get('0 standing under 2')! > 0.5);
    });

    it('two giraffes next to each other, in both directions', async () => {
      const boxes: Boxes = [
        ['giraffe', 100, 100, 150, 300],
        ['giraffe', 280, 110, 150, 300],
      ];
      const found = await scores(boxes, 'Two giraffes standing next to each other.');
      assert.ok(found.get('0 standing next to 1')! > 0.9 && found.get('1 standing next to 0')! > 0.9);
    });
  });

  it('scores in compat as version 1 did', async () => {
    const record = captionedRecord(
      [
        ['dog', 100, 100, 60, 40],
        ['bench', 90, 120, 120, 80],
      ],
      'a dog on a bench',
    );
    const tagger = baselineTagger({ compat: true });
    const { relations, tagger: stamp } = await firstValueFrom(
      of(record).pipe(parse(), match(), pair(), tag(tagger, { threshold: 0 })),
    );
    assert.equal(stamp!.version, '1');
    assert.ok(relations[0]!.confidence! <= 0.5);
  });

  it('is marked as a baseline', () => {
    assert.equal(baselineTagger().baseline, true);
  });
});
