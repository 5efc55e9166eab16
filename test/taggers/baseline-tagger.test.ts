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

  it('prefers the rider on the horse to the person next to it', async () => {
    const found = await scores(
      [
        ['person', 100, 50, 40, 80],
        ['person', 400, 100, 40, 100],
        ['horse', 80, 100, 120, 100],
      ],
      'a man riding a horse',
    );
    assert.ok(found.get('0 riding 2')! > 5 * (found.get('1 riding 2') ?? 0));
  });

  it('distinguishes above from under, and behind from in front', async () => {
    const boxes: Boxes = [
      ['dog', 100, 200, 60, 40],
      ['bench', 90, 120, 120, 80],
    ];
    const under = await scores(boxes, 'a dog under a bench', 'a dog on a bench');
    assert.ok(under.get('0 under 1')! > 2 * under.get('0 on 1')!);
    const front = await scores(boxes, 'a dog in front of a bench', 'a dog behind a bench');
    assert.ok(front.get('0 in front of 1')! > 2 * front.get('0 behind 1')!);
  });

  it('scores higher when more captions propose a text', async () => {
    const boxes: Boxes = [
      ['dog', 100, 100, 60, 40],
      ['bench', 90, 120, 120, 80],
    ];
    const once = await scores(boxes, 'a dog on a bench');
    const twice = await scores(boxes, 'a dog on a bench', 'a small dog on a wooden bench');
    assert.ok(twice.get('0 on 1')! > once.get('0 on 1')!);
  });

  it('is marked as a baseline', () => {
    assert.equal(baselineTagger().baseline, true);
  });
});
