import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  evaluateParser,
  type FailedCaption,
  type GoldCaption,
  goldCaptions,
  type RejectedRow,
} from '../../../src/evaluation/index.js';
import { ruleParser } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folders.js';

const CAPTIONS = fileURLToPath(new URL('captions.csv', import.meta.url));

async function read(file: string) {
  const badRows: RejectedRow[] = [];
  const captions: GoldCaption[] = [];
  for await (const caption of goldCaptions(file, (row) => badRows.push(row))) captions.push(caption);
  return { captions, badRows };
}

describe('goldCaptions', () => {
  it('reads captions and graphs and reports bad rows', async () => {
    const { captions, badRows } = await read(CAPTIONS);
    assert.deepEqual(captions[1], {
      caption: 'two dogs on a couch',
      gold: '( dogs , is , 2 ) , ( dogs , on , couch )',
    });
    assert.equal(captions.length, 4);
    assert.deepEqual(badRows, [
      { line: 6, problem: 'empty caption' },
      { line: 7, problem: 'scene_graph: brackets that do not separate facts' },
      { line: 8, problem: '2 fields, expected 3' },
    ]);
  });

  it('reports what a file lacks', async () => {
    const file = join(temporaryFolder(), 'captions.csv');
    const fails = async (text: string, message: string) => {
      writeFileSync(file, text);
      await assert.rejects(read(file), { name: 'InputError', message: `${file}: ${message}` });
    };
    await fails('caption,graph\na dog,( dog )\n', "missing column scene_graph, found 'caption', 'graph'");
    await fails('a\n', "missing column caption and scene_graph, found 'a'");
    await fails('', 'empty file, expected a header with the columns caption and scene_graph');
    await assert.rejects(read(`${file}x`), { name: 'InputError', message: `${file}x: no such file` });
    writeFileSync(file, 'caption,scene_graph\n"a dog,( dog )\n');
    await assert.rejects(read(file), { name: 'InputError' });
  });
});

describe('evaluateParser', () => {
  it('scores by caption length and counts errors of the failed captions', async () => {
    const failed: FailedCaption[] = [];
    const { captions } = await read(CAPTIONS);
    const result = await evaluateParser(captions, ruleParser(), { onFailed: (caption) => failed.push(caption) });
    assert.deepEqual(
      failed.map(({ caption, errors }) => [caption, errors]),
      [
        ['a cup on the table', ['entity-missing', 'entity-spurious']],
        ['a small boat near the old stone bridge', ['entity-boundary']],
      ],
    );
    assert.equal(result.overall.captions, 4);
    assert.equal(result.overall.setMatch, 50);
    assert.equal(result.failed, 2);
    assert.deepEqual(
      result.byLength.map(({ words, captions, setMatch }) => [words, captions, setMatch]),
      [
        ['<=6', 3, 200 / 3],
        ['7-10', 1, 0],
        ['11-20', 0, 0],
        ['21-50', 0, 0],
        ['>50', 0, 0],
      ],
    );
    // `cup` is not `mug`, and `old stone bridge` is not `bridge`.
    const { precision, recall } = result.overall;
    assert.deepEqual([precision.count, precision.of, recall.count, recall.of], [2, 4, 2, 4]);
    assert.ok(precision.low! < 0.5 && precision.high! > 0.5);
    assert.deepEqual((await evaluateParser(captions, ruleParser())).overall, result.overall, 'the bootstrap is seeded');
    const shares = new Map(result.errors.map(({ error, captions, share }) => [error, [captions, share]]));
    assert.deepEqual(shares.get('entity-boundary'), [1, 0.5]);
    assert.deepEqual(shares.get('quantity'), [0, 0]);
  });

  it('returns zeros for an empty list', async () => {
    const { overall, failed } = await evaluateParser([], ruleParser());
    const none = { value: null, low: null, high: null, count: 0, of: 0 };
    assert.deepEqual(
      { overall, failed },
      { overall: { captions: 0, setMatch: 0, spiceExact: 0, spice: 0, precision: none, recall: none }, failed: 0 },
    );
  });
});
