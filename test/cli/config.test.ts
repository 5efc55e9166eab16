// cspell:ignore anotations cooc inspct nural
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { relflow, SCENES } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

const inputs = { annotations: join(SCENES, 'instances.json'), captions: join(SCENES, 'captions.json') };
const flags = ['--annotations', inputs.annotations, '--captions', inputs.captions];

describe('--config', () => {
  let folder: string;
  const written = (name: string, content: unknown): string => {
    const file = join(folder, name);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  const graphs = (out: string) => readFileSync(join(out, 'scene-graphs/00000.jsonl'), 'utf8');
  const savedOptions = (out: string) =>
    (JSON.parse(readFileSync(join(out, '.relflow/run.json'), 'utf8')) as { options: unknown }).options;

  beforeEach(() => {
    folder = temporaryFolder();
  });

  it('gives the options that plan --save has written, and the same run', async () => {
    const file = join(folder, 'coco.json');
    const more = ['--threshold', '0.1', '--max-pairs', '3', '--export', 'rlipv2', '--shard-records', '10'];
    const [first, second] = [join(folder, 'first'), join(folder, 'second')];
    const plan = await relflow(['plan', 'coco', ...flags, ...more, '--out', second, '--save', file]);
    assert.equal(plan.code, 0, plan.stderr);
    assert.equal(plan.stdout, `${file}: use it with run --config\n`);
    const saved = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    assert.deepEqual(
      [saved['recipe'], saved['threshold'], saved['parser'], saved['shardRecords'], saved['export']],
      ['coco', 0.1, 'neural', 10, ['rlipv2']],
    );
    assert.equal((await relflow(['run', 'coco', ...flags, ...more, '--out', first])).code, 0);
    const ran = await relflow(['run', 'coco', '--config', file]);
    assert.equal(ran.code, 0, ran.stderr);
    for (const name of ['manifest.json', 'rlipv2.json', 'scene-graphs/00002.jsonl'])
      assert.equal(readFileSync(join(second, name), 'utf8'), readFileSync(join(first, name), 'utf8'));
    assert.deepEqual(savedOptions(second), savedOptions(first));
    const again = await relflow(['plan', 'coco', ...flags, '--save', file]);
    assert.deepEqual(
      [again.code, again.stderr],
      [1, `relflow: ${file}: already exists; choose another name for --save, or remove it\n`],
    );
    const printed = await relflow(['plan', 'coco', '--config', file, '--save', '-']);
    assert.deepEqual(JSON.parse(printed.stdout), saved);
  });

  it('loses to the command line', async () => {
    const file = written('coco.json', { ...inputs, threshold: 0.9, limit: 3, out: join(folder, 'out') });
    const out = join(folder, 'other');
    const { code, stderr } = await relflow(['run', 'coco', '--config', file, '--threshold', '0.1', '--out', out]);
    assert.equal(code, 0, stderr);
    assert.equal(graphs(out).trim().split('\n').length, 3);
    const { options } = savedOptions(out) as { options: Record<string, unknown> };
    assert.deepEqual([options['threshold'], options['limit']], [0.1, 3]);
  });

  it('may be a module, which can compute options', async () => {
    const module = (name: string, type = '') =>
      written(name, `const limit${type} = 1 + 1;\nexport default { ...${JSON.stringify(inputs)}, limit };`);
    for (const file of [module('coco.mjs'), module('coco.ts', ': number')]) {
      const { code, stdout, stderr } = await relflow(['plan', 'coco', '--config', file, '--save', '-']);
      assert.equal(code, 0, stderr);
      assert.equal((JSON.parse(stdout) as { limit: number }).limit, 2);
    }
  });

  it('names the option, the file, what was found and what was expected', async () => {
    const problem = async (content: unknown, name = 'coco.json') => {
      const file = written(name, content);
      const { code, stderr } = await relflow(['plan', 'coco', '--config', file]);
      assert.equal(code, 1, stderr);
      return stderr.replaceAll(file, 'FILE');
    };
    assert.equal(
      await problem({ ...inputs, threshold: 'high', maxPairs: 0, parser: 'nural' }),
      `relflow: FILE: option 'parser' is "nural", expected one of rules, neural, factual-t5
  option 'maxPairs' is 0, expected a whole number of at least 1
  option 'threshold' is "high", expected a number from 0 to 1\n`,
    );
    assert.equal(
      await problem({ ...inputs, 'max-pairs': 1 }),
      "relflow: FILE: unknown option 'max-pairs', did you mean 'maxPairs'?\n",
    );
    assert.equal(
      await problem({ ...inputs, colour: 1 }),
      "relflow: FILE: unknown option 'colour'; see --help for the options\n",
    );
    assert.equal(
      await problem({ ...inputs, export: ['page', 'pdf'] }),
      `relflow: FILE: option 'export' is "pdf" at /1, expected a list, each item one of rlipv2, rlipv2-candidates, rlipv2-frequencies, rlipv2-paths, coco, psg, hico, vcoco, open-images, graphml, page\n`,
    );
    assert.equal(
      await problem({ ...inputs, recipe: 'demo' }),
      "relflow: FILE: is for the pipeline 'demo', but the command names 'coco'\n",
    );
    assert.equal(await problem([]), 'relflow: FILE: contains [], expected an object of options\n');
    assert.match(
      await problem('annotations: x'),
      /^relflow: FILE: is not valid JSON: .*; expected an object of options, or a module/,
    );
    assert.match(
      await problem('export const a = 1;', 'none.mjs'),
      /FILE: contains nothing, expected its default export to be/,
    );
    assert.match(
      await problem('throw new Error("broken")', 'bad.mjs'),
      /^relflow: --config: cannot load FILE: broken\n$/,
    );
    const { code, stderr } = await relflow(['run', 'coco', '--config', written('part.json', { captions: 'c' })]);
    assert.equal(code, 2);
    assert.match(stderr, /^error: missing --annotations <files> and -o, --out <folder>, also in .*part\.json\n/);
    assert.equal((await relflow(['run', 'coco', '--config', join(folder, 'none.json')])).code, 1);
  });

  it('is saved without the credentials in addresses', async () => {
    const module = written(
      'mine.mjs',
      `export default { name: 'mine', summary: 's', examples: [], build: () => ({ nodes: [], finish() {} }),
         options: { type: 'object', properties: { server: { type: 'string' } } } };`,
    );
    const address = 'https://user:hunter2@models.example/v1?api_key=hunter2&version=3';
    const { stdout, stderr } = await relflow(['plan', module, '--server', address, '--save', '-']);
    assert.deepEqual(JSON.parse(stdout), { recipe: 'mine', server: 'https://models.example/v1?version=3' });
    assert.equal(stderr, 'without the credentials in server; give these options on the command line\n');
  });
});

describe('help', () => {
  it('shows the ten options that matter first, then groups', async () => {
    const { stdout } = await relflow(['run', 'coco', '--help']);
    const groups = stdout.split(/^(\S.*):$/m);
    const headings = groups.filter((_, index) => index % 2 === 1);
    assert.deepEqual(headings.slice(0, 3), ['Main options', 'Selection', 'Captions']);
    const main = [...groups[2]!.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, name]) => name);
    assert.deepEqual(main, [
      ...['annotations', 'images', 'captions', 'captioner', 'tagger', 'threshold', 'limit', 'out', 'export', 'config'],
    ]);
    assert.ok(!headings.includes('Options'));
    assert.match(stdout, /Examples:\n {2}relflow run coco/);
  });

  it('suggests what a misspelled command, pipeline or option may mean', async () => {
    for (const [args, suggestion] of [
      [['rnu'], /Did you mean run\?/],
      [['run', 'cooc'], /Did you mean coco\?/],
      [['run', 'coco', '--anotations', 'x'], /Did you mean --annotations\?/],
      [['weights', 'inspct'], /Did you mean inspect\?/],
    ] as const) {
      const { code, stderr } = await relflow(args);
      assert.equal(code, 2);
      assert.match(stderr, suggestion);
    }
  });

  it('lists the backends that --backend accepts', async () => {
    const backends = ['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu'];
    const listed = `(choices: ${backends.map((name) => `"${name}"`).join(', ')})`;
    for (const args of [
      ['run', 'coco'],
      ['evaluate', 'predicates'],
    ]) {
      const { stdout } = await relflow([...args, '--help']);
      assert.ok(stdout.replace(/\s+/g, ' ').includes(listed), stdout);
    }
    const { code, stderr } = await relflow(['run', 'coco', ...flags, '--out', 'x', '--backend', 'gpu']);
    assert.equal(code, 2);
    assert.match(stderr, /Allowed choices are auto, tensorflow, webgpu, wasm, cpu/);
  });
});
