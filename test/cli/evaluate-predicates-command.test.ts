import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sceneGraphLines } from '../../scripts/scenes/scene-graph-json.js';
import { sceneSet } from '../../scripts/scenes/scene-set.js';
import type { TaggerScores } from '../../src/evaluation/index.js';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

describe('relflow evaluate predicates', () => {
  let train: string;
  let test: string;

  before(() => {
    const folder = temporaryFolder();
    [train, test] = (['train', 'test'] as const).map((split) => {
      const file = join(folder, `${split}.jsonl`);
      writeFileSync(file, sceneGraphLines(1, split, sceneSet(1, split, 40)));
      return file;
    }) as [string, string];
  });

  it('prints a table of the frequency prior and the geometric baseline, with true and perturbed boxes', async () => {
    const { code, stdout, stderr } = await relflow([
      'evaluate',
      'predicates',
      test,
      '--counts',
      train,
      '--by-predicate',
      '--progress',
      'bar',
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ +boxes and labels +mean AP +R@10 \/ 20 \/ 50 +one per pair R@10/);
    for (const name of ['frequency prior', 'geometric baseline'])
      for (const kind of ['true', 'perturbed'])
        assert.match(stdout, new RegExp(`^${name} +${kind} +\\d+\\.\\d +\\d`, 'm'));
    assert.match(stdout, /^looking at +\d+ +\d/m);
    assert.equal(stderr, 'frequency prior…\ngeometric baseline…\n');
  });

  it('prints all scores as JSON, and tables as Markdown', async () => {
    const { stdout } = await relflow(['evaluate', 'predicates', test, '--counts', train, '--json', '--quiet']);
    const { images, scores } = JSON.parse(stdout) as { images: number; scores: TaggerScores[] };
    assert.equal(images, 40);
    const ap = (name: string, perturbed: boolean) =>
      scores.find((of) => of.tagger === name && of.perturbed === perturbed)!.report.meanAveragePrecision;
    assert.ok(ap('frequency prior', false) > ap('frequency prior', true));
    const clean = ['--box-noise', '0', '--label-noise', '0', '--markdown', '--limit', '5'];
    const table = (await relflow(['evaluate', 'predicates', test, ...clean])).stdout.trim().split('\n');
    assert.equal(table.length, 3);
    assert.match(table[2]!, /^\| geometric baseline \| true \| \d+\.\d \|/);
  });

  it('names missing and invalid arguments', async () => {
    const failure = async (...args: string[]) => {
      const { code, stderr } = await relflow(['evaluate', 'predicates', ...args]);
      return `${code} ${stderr}`;
    };
    assert.match(await failure(test, '--tagger', 'sprites'), /^1 .*--tagger needs --images, the image folder/);
    assert.match(await failure(test, '--images', 'nowhere'), /^1 .*nowhere: no such image folder/);
    assert.match(await failure('none.jsonl'), /^1 .*none\.jsonl/);
    assert.match(await failure(test, '--box-noise', '2'), /^2 .*expected a number from 0 to 1/);
    const broken = join(temporaryFolder(), 'broken.jsonl');
    writeFileSync(broken, '{}\n');
    assert.match(await failure(broken), /^1 .*broken\.jsonl/);
  });
});
