import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bootstrapShare,
  evaluateJudged,
  judgedCaptions,
  type RejectedRow,
  type UnjudgedTriplet,
  wilsonShare,
} from '../../../src/evaluation/index.js';
import { ruleParser } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folders.js';

describe('judgments by hand', () => {
  async function read(...rows: string[]) {
    const file = join(temporaryFolder(), 'judged.csv');
    writeFileSync(file, ['caption,triplet,judgment,error', ...rows].join('\n'));
    const badRows: RejectedRow[] = [];
    return { captions: await judgedCaptions(file, (row) => badRows.push(row)), badRows, file };
  }

  it('count what the parser finds as right, wrong or not judged, and what it does not find as missed', async () => {
    const { captions, badRows } = await read(
      'a man riding a horse,"( men , riding , horses )",missed,',
      'a cup on a table,"( cup , on , table )",wrong,preposition',
      'a cup on a table,"( table , under , cup )",missed,inversion',
      'a dog chasing a ball,,,',
    );
    assert.deepEqual(badRows, []);
    const unjudged: UnjudgedTriplet[] = [];
    const result = await evaluateJudged(captions, ruleParser(), { onUnjudged: (triplet) => unjudged.push(triplet) });
    const { precision, recall } = result.overall;
    // A relation that another parser missed is right when this one finds it.
    assert.deepEqual([precision.count, precision.of, recall.count, recall.of], [1, 2, 1, 2]);
    assert.deepEqual(unjudged, [
      { caption: 'a dog chasing a ball', relation: { subject: 'dog', predicate: 'chase', object: 'ball' } },
    ]);
    assert.deepEqual(
      result.errors.map(({ error, wrong, missed }) => [error, wrong.count, wrong.of, missed.count, missed.of]),
      [
        ['inversion', 0, 2, 1, 2],
        ['preposition', 1, 2, 0, 2],
      ],
    );
    assert.deepEqual(
      result.byLength.map(({ captions: count }) => count),
      [3, 0, 0, 0, 0],
    );
  });

  it('skip rows that contradict each other or have another form', async () => {
    const { captions, badRows } = await read(
      'a dog,"( dog , in , park )",right,',
      'a dog,"( dog , in , park )",missed,',
      'a dog,"( dog , in , park )",wrong,',
      'a dog,dog in park,right,',
      'a dog,"( dog , is , brown )",right,',
      ',"( dog , in , park )",right,',
      'a dog,"( dog , in , park )",right',
    );
    assert.deepEqual(badRows, [
      { line: 4, problem: 'triplet ( dog , in , park ): wrong, but missed in a row before' },
      { line: 5, problem: 'triplet: brackets that do not separate facts' },
      { line: 6, problem: 'triplet ( dog , is , brown ), expected one relation such as ( man , ride , horse )' },
      { line: 7, problem: "the value must have required property 'caption'" },
      { line: 8, problem: '3 fields, expected 4' },
    ]);
    assert.equal(captions[0]!.triplets.length, 1);
    await assert.rejects(
      judgedCaptions('none.csv', () => {}),
      { message: 'none.csv: no such file' },
    );
    const file = join(temporaryFolder(), 'x.csv');
    writeFileSync(file, 'caption,triplet\na,b\n');
    await assert.rejects(
      judgedCaptions(file, () => {}),
      {
        message: `${file}: missing column judgment, found 'caption', 'triplet'`,
      },
    );
  });

  it('have the intervals of the textbook', () => {
    // Source: Newcombe, 1998, table I, method 3: 81/263, 15/148, 0/20, 1/29.
    for (const [count, of, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const share = wilsonShare(count, of);
      assert.deepEqual([share.low!.toFixed(4), share.high!.toFixed(4)], [low.toFixed(4), high.toFixed(4)]);
    }
    assert.deepEqual(wilsonShare(0, 0), { value: null, low: null, high: null, count: 0, of: 0 });
    // Resamples of units that are all alike say nothing about other units; alternating ones have that of 100 independent draws of 10.
    const alike = bootstrapShare(Array(50).fill({ count: 3, of: 4 }));
    assert.deepEqual(alike, wilsonShare(150, 200));
    const units = Array.from({ length: 100 }, (_, k) => ({ count: k % 2 ? 10 : 0, of: 10 }));
    const { value, low, high } = bootstrapShare(units);
    assert.equal(value, 0.5);
    assert.ok(Math.abs(low! - 0.4) < 0.03 && Math.abs(high! - 0.6) < 0.03, `${low} ${high}`);
  });
});
