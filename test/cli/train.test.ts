import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ended, relflow, SCENES, start } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

const genome = join(SCENES, 'visual-genome');
const config = {
  task: 'tagger',
  model: 'tinyTagger',
  data: [
    {
      visualGenome: { sceneGraphs: join(genome, 'scene_graphs.json'), imageData: join(genome, 'image_data.json') },
      images: join(SCENES, 'images'),
    },
  ],
  epochs: 100,
  steps: 4,
  batchSize: 2,
  labels: { objects: 8, relations: 8 },
  augmentation: { flip: 0, colorJitter: 0, shorterSides: [48], maxSize: 64 },
  backend: 'wasm',
  threads: 1,
  readers: 0,
};

describe('relflow train', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'tagger.json');
  const train = (...flags: string[]) => relflow(['train', 'tagger', '--config', file, ...flags]);
  before(() => writeFileSync(file, JSON.stringify(config)));

  it('runs a dry run, which writes nothing', async () => {
    const { code, stdout, stderr } = await train('--dry-run', '--json');
    assert.equal(code, 0, stderr);
    const { dataSummary, steps, shapes, memory } = JSON.parse(stdout);
    assert.deepEqual([dataSummary.total, steps, shapes.pixels[0]], [24, 4, 2]);
    assert.ok(memory.peak > memory.weights);
    assert.match((await train('--dry-run')).stdout, /^peak of the largest step +[\d.]+ MB$/m);
    assert.deepEqual(readdirSync(folder), ['tagger.json']);
  });

  it('says how many images are left out, why, and what to do', async () => {
    const images = join(folder, 'images');
    cpSync(join(SCENES, 'images'), images, { recursive: true });
    const [missing = '', damaged = '', ...others] = readdirSync(images);
    rmSync(join(images, missing));
    writeFileSync(join(images, damaged), 'no image');
    const path = join(folder, 'gaps.json');
    writeFileSync(path, JSON.stringify({ ...config, data: [{ ...config.data[0], images }], steps: 12 }));
    const args = (out: string) => ['train', 'tagger', '--config', path, '--out', join(folder, out)];
    const some = await relflow(args('some'));
    assert.equal(some.code, 0, some.stderr);
    assert.match(
      some.stdout,
      /^left out of the training: 1 image-missing \(check that `images` .*\), 1 image-unreadable \(replace .*\)$/m,
    );
    for (const name of others) rmSync(join(images, name));
    const none = await relflow(args('none'));
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^relflow: training: no batch of 2 images can be filled: 24 of 24 images are refused: 23 image-missing \(check .*\), 1 image-unreadable \(replace .*\); the first: .*\n$/m,
    );
  });

  it('stops after a step on Ctrl-C, and resumes to the end', async () => {
    const long = join(folder, 'long.json');
    writeFileSync(long, JSON.stringify({ ...config, steps: 10 }));
    const out = join(folder, 'run');
    const log = join(out, 'log.jsonl');
    const hasStep = () => existsSync(log) && readFileSync(log, 'utf8').includes('"event":"step"');
    let end: Ended;
    do {
      rmSync(out, { recursive: true, force: true });
      const { process: child, ended } = start(['train', 'tagger', '--config', long, '--out', out]);
      while (child.exitCode === null && !hasStep()) await sleep(10);
      child.kill('SIGINT');
      end = await ended;
      // On a busy machine the training may complete before it is interrupted.
    } while (end.code === 0);
    const { code, stderr } = end;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /^stopping after this step; press Ctrl-C again to stop now$/m);
    assert.match(stderr, /^stopped after step \d+: .*step-\d{8}; pass --resume to continue$/m);
    assert.ok(!existsSync(join(out, 'weights.safetensors')));
    const resumed = await relflow(['train', 'tagger', '--config', long, '--out', out, '--resume', '--json', '--quiet']);
    assert.equal(resumed.code, 0, resumed.stderr);
    const { finished, steps, weights } = JSON.parse(resumed.stdout);
    assert.deepEqual([finished, steps, weights], [true, 10, join(out, 'weights.safetensors')]);
    assert.equal(resumed.stderr, '');
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    assert.equal(lines.filter((line) => line.includes('"event":"step"')).length, 10);
  });

  it('names wrong flags, the wrong task and a folder in use', async () => {
    const failure = async (args: readonly string[]) => {
      const { code, stderr } = await relflow(args);
      assert.equal(code, 1, stderr);
      return stderr.trim();
    };
    const given = ['--config', file];
    assert.equal(
      await failure(['train', 'tagger', ...given]),
      'relflow: train tagger: --out is missing, expected the folder to write to',
    );
    assert.equal(
      await failure(['train', 'rlip', ...given, '--out', join(folder, 'other')]),
      `relflow: ${file}: /task is tagger, but the command is train rlip`,
    );
    const out = join(folder, 'run');
    const used = await train('--out', out);
    assert.equal(used.code, 1);
    assert.equal(
      used.stderr,
      `relflow: ${out}: already contains a training run: pass --resume to continue it, or --overwrite to replace it\n`,
    );
    const overwritten = await train('--out', out, '--overwrite', '--quiet');
    assert.match(overwritten.stdout, /^4 steps, loss [\d.]+: .*run\/weights\.safetensors\n$/);
  });
});
