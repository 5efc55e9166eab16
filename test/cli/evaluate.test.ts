import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ParserEvaluation, RejectedRow } from '../../src/evaluation/index.js';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

const CAPTIONS = fileURLToPath(new URL('../evaluation/parser/captions.csv', import.meta.url));

describe('relflow evaluate parser', () => {
  it('prints tables, names invalid rows and writes the captions with errors', async () => {
    const errors = join(temporaryFolder(), 'failed.txt');
    const { code, stdout, stderr } = await relflow([
      'evaluate',
      'parser',
      CAPTIONS,
      '--parser',
      'rules',
      '--errors',
      errors,
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^words +captions +Set Match % +SPICE % \(lemmas\) +SPICE % \(synonyms\)\nall +4 +50 /);
    assert.match(stdout, /\nerror in 2 failed captions +captions +%\nentity-boundary +1 +50\n/);
    assert.equal(
      stderr,
      [
        `${CAPTIONS}: 3 invalid rows skipped`,
        '  line 6: empty caption',
        '  line 7: scene_graph: brackets that do not separate facts',
        '  line 8: 2 fields, expected 3',
        '',
      ].join('\n'),
    );
    assert.equal(
      readFileSync(errors, 'utf8').split('\n\n')[0],
      [
        'caption    a cup on the table',
        'gold       ( mug , on , table )',
        'predicted  ( cup , on , table )',
        'errors     entity-missing, entity-spurious',
      ].join('\n'),
    );
  });

  it('prints JSON', async () => {
    const { stdout } = await relflow(['evaluate', 'parser', CAPTIONS, '--parser', 'rules', '--json']);
    const result = JSON.parse(stdout) as ParserEvaluation & { parser: { name: string }; badRows: RejectedRow[] };
    assert.deepEqual(
      [result.parser.name, result.overall.setMatch, result.byLength.length, result.badRows.length],
      ['rules', 50, 3, 3],
    );
  });

  it('exits with 1 when a column is missing', async () => {
    const file = join(temporaryFolder(), 'captions.csv');
    writeFileSync(file, 'caption\na dog\n');
    const { code, stderr } = await relflow(['evaluate', 'parser', file]);
    assert.deepEqual([code, stderr], [1, `relflow: ${file}: missing column scene_graph, found 'caption'\n`]);
  });
});
