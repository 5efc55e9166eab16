import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TextGraph } from '../../../src/records/text-graph.js';
import { Kernels } from '../../../src/text/learned/kernels/kernels.js';
import { parserOf } from '../../../src/text/learned/learned-parser.js';
import { decodeModel } from '../../../src/text/learned/parser-model.js';
import { temporaryFolder } from '../../support/folders.js';

const subjects = ['man', 'woman', 'boy', 'girl', 'dog', 'cat'];
const objects = ['horse', 'bench', 'boat', 'car', 'couch', 'table'];
const rows = subjects.flatMap((subject) =>
  objects.flatMap((object) => [
    `a ${subject} riding a ${object},"( ${subject} , ride , ${object} )"`,
    `the ${subject} is on the ${object},"( ${subject} , on , ${object} )"`,
  ]),
);

const train = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'src/text/learning/train-parser.ts', ...args], { encoding: 'utf8' });

describe('npm run train:parser', function () {
  this.timeout(120_000);

  it('makes a model of a folder of captions, the same each time', () => {
    const folder = temporaryFolder();
    for (const split of ['train', 'dev'])
      writeFileSync(join(folder, `${split}.csv`), `caption,scene_graph\n${rows.join('\n')}\n`);
    const files = ['a.model', 'b.model'].map((name) => join(folder, name));
    for (const out of files) {
      const { status, stderr } = train(folder, '--folds', '2', '--epochs', '60', '--out', out);
      assert.equal(status, 0, stderr);
      const [, score] = /teacher 2, epoch 60: .*student, epoch 60: .*all words: 72 captions, Set Match (\S+),/s.exec(
        stderr,
      )!;
      assert.ok(Number(score) > 90, `Set Match ${score}`);
    }
    const [a, b] = files.map((file) => readFileSync(file));
    assert.ok(a!.equals(b!));
    const kernels = new Kernels(64 << 20);
    const { relations } = parserOf(decodeModel(a!, kernels), kernels).parse('a girl riding a horse') as TextGraph;
    assert.deepEqual(
      relations.map(({ lemma }) => lemma),
      ['ride'],
    );
  });

  it('says how it is used', () => {
    const help = train('--help');
    assert.deepEqual([help.status, help.stdout.startsWith('npm run train:parser -- DIR')], [0, true]);
    assert.equal(train().status, 2);
    const odd = train('.', '--epochs', 'many');
    assert.deepEqual([odd.status, odd.stderr.trim()], [2, '--epochs: many, expected a whole number']);
  });
});
