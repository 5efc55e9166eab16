import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JudgedEvaluation, ParserEvaluation, RejectedRow } from '../../src/evaluation/index.js';
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
    assert.match(
      stdout,
      /^words +captions +Set Match % +SPICE % \(lemmas\) +SPICE % \(synonyms\) +relations: precision % +recall %\nall +4 +50 .* 50\.0 \(0\.0–100\.0\)\n/,
    );
    assert.match(
      stdout,
      /\nerror in 2 failed captions +captions +% +% of all captions\nentity-boundary +1 +50 +25\.0 \(4\.6–69\.9\)\n/,
    );
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
      ['rules', 50, 5, 3],
    );
  });

  it('scores judgments by hand and writes relations to judge', async () => {
    const folder = temporaryFolder();
    const [judged, more] = [join(folder, 'judged.csv'), join(folder, 'more.csv')];
    writeFileSync(
      judged,
      [
        'caption,triplet,judgment,error',
        'a man riding a horse next to a dog,"( man , ride , horse )",right,',
        'a man riding a horse next to a dog,"( horse , wear , hat )",missed,list',
        'a cup on a table,"( cup , on , table )",wrong,preposition',
        'a dog chasing a ball,,,',
        'a dog chasing a ball,"( dog , chase )",right,',
        'a dog chasing a ball,"( dog , chase , ball )",good,',
      ].join('\n'),
    );
    const args = ['evaluate', 'parser', judged, '--parser', 'rules'];
    const { code, stdout, stderr } = await relflow([...args, '--unjudged', more]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^words +captions +judged +precision % +wanted +recall % +not judged\n/);
    assert.match(stdout, /\nall +3 +2 +50\.0 \(9\.5–90\.5\) +2 +50\.0 \(9\.5–90\.5\) +2\n/);
    assert.match(stdout, /\nlist +0 +0\.0 \(0\.0–65\.8\) +1 +50\.0 /);
    assert.match(stdout, /\npreposition +1 +50\.0 /);
    assert.match(
      stderr,
      /2 invalid rows skipped\n {2}line 6: triplet \( dog , chase \), expected one relation .*\n {2}line 7: \/judgment must be /,
    );
    const rows = readFileSync(more, 'utf8').split('\n');
    assert.equal(rows[0], 'caption,triplet,judgment,error');
    assert.ok(rows.includes('"a dog chasing a ball","( dog , chase , ball )",,'), rows.join('\n'));
    // The rows, filled in, complete the judgments.
    writeFileSync(
      judged,
      `${readFileSync(judged, 'utf8').split('\n').slice(0, 5).join('\n')}\n${rows.slice(1).join('\n').replaceAll('",,', '",right,')}`,
    );
    const { stdout: json } = await relflow([...args, '--json']);
    const { overall } = JSON.parse(json) as JudgedEvaluation;
    assert.deepEqual(
      [overall.unjudged, overall.precision.count, overall.precision.of, overall.recall.count, overall.recall.of],
      [0, 3, 4, 3, 4],
    );
    const wrong = await relflow([...args, '--errors', join(folder, 'x')]);
    assert.deepEqual(wrong, {
      code: 1,
      stdout: '',
      stderr: 'relflow: evaluate parser: --errors has no effect on a file of judgments\n',
    });
  });

  it('takes descriptions of several sentences with their graphs, and says which are too long', async () => {
    const file = join(temporaryFolder(), 'descriptions.csv');
    const sentence = 'A man rides a brown horse on the beach, and a dog runs after the horse.';
    const text = (sentences: number) => Array(sentences).fill(sentence).join(' ');
    const graph = '( man , ride , horse ) , ( horse , on , beach ) , ( horse , is , brown )';
    writeFileSync(file, `caption,scene_graph\n"${text(5)}","${graph}"\n"${text(60)}","${graph}"\n`);
    const { code, stdout, stderr } = await relflow(['evaluate', 'parser', file]);
    assert.equal(code, 0);
    assert.match(stdout, /\n>50 +2 /);
    assert.match(stdout, /relations: precision % +recall %/);
    assert.match(stderr, /1 captions are longer than the 2000 characters that the parser reads/);
  });

  it('exits with 1 when a column is missing', async () => {
    const file = join(temporaryFolder(), 'captions.csv');
    writeFileSync(file, 'caption\na dog\n');
    const { code, stderr } = await relflow(['evaluate', 'parser', file]);
    assert.deepEqual([code, stderr], [1, `relflow: ${file}: missing column scene_graph, found 'caption'\n`]);
  });
});
