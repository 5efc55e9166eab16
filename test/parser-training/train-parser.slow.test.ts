import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ParserKernels } from '../../src/parser/neural/kernels/parser-kernels.js';
import { parserOf } from '../../src/parser/neural/neural-parser.js';
import { decodeModel } from '../../src/parser/neural/parser-model.js';
import type { TextGraph } from '../../src/records/text-graph.js';
import { temporaryFolder } from '../support/folders.js';
import { writeTinyEncoder } from '../support/tiny-encoder.js';

const subjects = ['man', 'woman', 'boy', 'girl', 'dog', 'cat'];
const objects = ['horse', 'bench', 'boat', 'car', 'couch', 'table'];
const rows = subjects.flatMap((subject) =>
  objects.flatMap((object) => [
    `a ${subject} riding a ${object},"( ${subject} , ride , ${object} )"`,
    `the ${subject} is on the ${object},"( ${subject} , on , ${object} )"`,
  ]),
);

const train = (...args: string[]) =>
  new Promise<{ readonly status: unknown; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const command = ['--import', 'tsx', 'parser-training/train-parser.ts', ...args];
    execFile(process.execPath, command, (error, stdout, stderr) =>
      resolve({ status: error ? error.code : 0, stdout, stderr }),
    );
  });

/** Kills a training after some epochs of the student. */
const trainAndKill = (epochs: number, ...args: string[]) =>
  new Promise<void>((resolve) => {
    const child = execFile(process.execPath, ['--import', 'tsx', 'parser-training/train-parser.ts', ...args]);
    let output = '';
    child.stderr!.on('data', (text: string) => {
      output += text;
      if (output.includes(`student, epoch ${epochs}:`)) child.kill('SIGKILL');
    });
    child.on('exit', () => resolve());
  });

describe('npm run train:parser, from captions to a model', () => {
  it('prints its usage and rejects wrong arguments', async () => {
    const help = await train('--help');
    assert.deepEqual([help.status, help.stdout.startsWith('npm run train:parser -- DIR')], [0, true]);
    assert.equal((await train()).status, 2);
    const odd = await train('.', '--epochs', 'many');
    assert.deepEqual([odd.status, odd.stderr.trim()], [2, '--epochs: many, expected a whole number']);
    const missing = await train('.', '--captions', 'nowhere.txt');
    assert.deepEqual([missing.status, missing.stderr.trim()], [2, 'nowhere.txt: no such file']);
  });

  it('trains the same model each time, also after being killed', async () => {
    const folder = temporaryFolder();
    for (const split of ['train', 'dev'])
      writeFileSync(join(folder, `${split}.csv`), `caption,scene_graph\n${rows.join('\n')}\n`);
    const files = ['a.model', 'b.model'].map((name) => join(folder, name));
    const args = (out: string) => [folder, '--epochs', '60', '--out', out];
    const resumable = [...args(files[1]!), '--keep', join(folder, 'keep')];
    const [first] = await Promise.all([train(...args(files[0]!)), trainAndKill(20, ...resumable)]);
    // Resumes from the checkpoint, which is removed at the end.
    const second = await train(...resumable);
    assert.doesNotMatch(second.stderr, /student, epoch 20:/);
    assert.deepEqual(readdirSync(join(folder, 'keep')), []);
    for (const { status, stderr } of [first, second]) {
      assert.equal(status, 0, stderr);
      const [, score] = /student, epoch 60: .*all words: 72 captions, Set Match (\S+),/s.exec(stderr)!;
      assert.ok(Number(score) > 90, `Set Match ${score}`);
    }
    const [a, b] = files.map((file) => readFileSync(file));
    assert.ok(a!.equals(b!));
    const kernels = new ParserKernels(64 << 20);
    const { relations } = parserOf(decodeModel(a!, kernels), kernels).parse('a girl riding a horse') as TextGraph;
    assert.deepEqual(
      relations.map(({ lemma }) => lemma),
      ['ride'],
    );
  });

  it('trains with teachers and assistants, and reuses their labels in the next run', async () => {
    const folder = temporaryFolder();
    for (const split of ['train', 'dev'])
      writeFileSync(join(folder, `${split}.csv`), `caption,scene_graph\n${rows.join('\n')}\n`);
    const [encoder, keep, unlabelled] = ['encoder', 'keep', 'captions.txt'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeTinyEncoder(encoder, [...subjects, ...objects, 'riding']);
    writeFileSync(unlabelled, 'a man riding a table\n\nthe girl is on the car\n');
    const args = [
      folder,
      '--encoder',
      encoder,
      '--captions',
      unlabelled,
      '--variations',
      '62',
      '--assistant-epochs',
      '2',
      '--assistant-variations',
      '60',
      '--epochs',
      '3',
      '--keep',
      keep,
    ];
    const files = ['a.model', 'b.model'].map((name) => join(folder, name));
    const first = await train(...args, '--out', files[0]!);
    // The second run reuses the labels of the first, as does another student of the same teachers; another seed does not.
    const others = ['c.model', 'd.model'].map((name) => join(folder, name));
    const [second, other, sibling] = await Promise.all([
      train(...args, '--out', files[1]!),
      train(...args, '--seed', '2', '--out', others[0]!),
      train(...args, '--student-seed', '2', '--out', others[1]!),
    ]);
    for (const { status, stderr } of [first, second, sibling]) {
      assert.equal(status, 0, stderr);
      assert.match(stderr, /64 captions without graphs.*64 captions labeled.*student, epoch 3/s);
      const [, requested, labeled] = /(\d+) captions for assistants.*\n.* (\d+) captions labeled\n.*student/s.exec(
        stderr,
      )!;
      assert.ok(Number(requested) >= 60 && labeled === requested, stderr);
    }
    assert.match(
      first.stderr,
      /teacher 1, epoch 3: .*teacher 2, epoch 3: |teacher 2, epoch 3: .*teacher 1, epoch 3: /s,
    );
    assert.match(first.stderr, /labeled.*assistant 1, epoch 2: /s);
    assert.match(first.stderr, /labeled.*assistant 2, epoch 2: /s);
    for (const { stderr } of [second, sibling]) assert.doesNotMatch(stderr, /(?:teacher|assistant) \d/);
    const [a, b] = files.map((file) => readFileSync(file));
    assert.ok(a!.equals(b!));
    assert.ok(!readFileSync(others[1]!).equals(a!));
    assert.match(other.stderr, /teacher 1/);
    // The labels of two teachers and two assistants of either seed.
    assert.equal(readdirSync(keep).length, 8);
  });
});
