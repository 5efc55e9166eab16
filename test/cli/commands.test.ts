import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { version } from '../../src/index.js';
import { packageRoot } from '../../src/package-info.js';
import { command, inPairs, relflow, SCENES, start } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

const inputs = ['--annotations', join(SCENES, 'instances.json'), '--captions', join(SCENES, 'captions.json')];

describe('relflow', () => {
  let out: string;

  before(async () => {
    out = join(temporaryFolder(), 'graphs');
    const { code, stdout, stderr } = await relflow([
      'run',
      'coco',
      ...inputs,
      '--images',
      join(SCENES, 'images'),
      '--out',
      out,
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^24 records in .* → /m);
  });

  it('prints its version, its help with an example, and its pipelines', async () => {
    assert.equal((await relflow(['--version'])).stdout.trim(), version);
    const help = await relflow(['--help']);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /Example:\n {2}relflow run coco/);
    const list = await relflow(['list']);
    for (const name of ['coco', 'objects365', 'visual-genome', 'demo', 'rlipv2-candidates'])
      assert.ok(list.stdout.includes(name));
    const run = await relflow(['run', 'coco', '--help']);
    assert.match(run.stdout, /--annotations <files> +instances_\*\.json/);
  });

  it('exits with 2 on wrong usage and with 1 on an error, without a stack trace', async () => {
    const usage = [
      ['run', 'coco'],
      ['run', 'coco', '--annotatoins', 'x'],
      ['frobnicate'],
      ['export', out, '--format', 'cocoa', '--file', 'x'],
      ['run', 'coco', ...inputs, '--out', 'x', '--limit', 'ten'],
    ];
    await inPairs(usage, async (args) => assert.equal((await relflow(args)).code, 2, args.join(' ')));
    const errors: [string[], RegExp][] = [
      [
        ['run', 'coco', '--annotations', 'none.json', '--captions', 'c.json', '--out', join(out, 'x')],
        /^relflow: .*none\.json/,
      ],
      [
        ['run', 'coco', ...inputs, '--vocabulary', 'coco81', '--out', join(out, 'x')],
        /match: unknown vocabulary 'coco81'/,
      ],
      [
        ['run', 'coco', ...inputs, '--threshold', '3', '--out', join(out, 'x')],
        /coco: --threshold 3, expected a number from 0 to 1\n/,
      ],
      [['run', 'coco', ...inputs, '--out', out], /already contains a run/],
      [['run', './no-such-module.mjs', '--out', join(out, 'x')], /cannot load \.\/no-such-module\.mjs/],
      [['validate', join(out, 'nothing')], /no such file or folder/],
      [['resume', temporaryFolder()], /contains no run to resume/],
      [['inspect', '999', out], /no image '999' in its sources/],
    ];
    await inPairs(errors, async ([args, message]) => {
      const { code, stderr } = await relflow(args);
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at /);
    });
  });

  it('validates its own output', async () => {
    const { code, stdout } = await relflow(['validate', out]);
    assert.equal(code, 0, stdout);
    assert.equal(stdout, `${out}: valid\n`);
  });

  it('reports problems of a file with their lines', async () => {
    const file = join(temporaryFolder(), 'graphs.jsonl');
    const lines = readFileSync(join(out, 'scene-graphs/00000.jsonl'), 'utf8').split('\n').slice(0, 2);
    writeFileSync(file, [lines[0], lines[1]!.replace('"width"', '"breadth"')].join('\n'));
    const { code, stdout } = await relflow(['validate', file]);
    assert.equal(code, 1);
    assert.match(stdout, /graphs\.jsonl:2: scene-graph: \/image must have required property 'width'/);
    const [first] = readFileSync(join(out, 'candidates/00000.jsonl'), 'utf8').split('\n');
    const candidates = [{ subject: 0, object: 999, texts: [{ text: 'on', captions: [] }] }];
    writeFileSync(file, JSON.stringify({ ...JSON.parse(first!), candidates }));
    assert.match((await relflow(['validate', file])).stdout, /graphs\.jsonl:1: candidate 0: object 999 does not exist/);
  });

  it('shows a plan as text, JSON, Mermaid and SVG without creating files', async () => {
    const plan = (...more: string[]) => relflow(['plan', 'coco', ...inputs, '--out', join(out, 'none'), ...more]);
    assert.match((await plan()).stdout, /· tag ← pair {2}\+relations \+tagger[\s\S]*input .*instances\.json/);
    const { graph } = JSON.parse((await plan('--format', 'json')).stdout) as { graph: { id: string }[] };
    assert.deepEqual(
      graph.map(({ id }) => id),
      ['coco', 'caption', 'parse', 'match', 'pair', 'candidates', 'tag', 'geometry', 'scene-graphs'],
    );
    assert.match((await plan('--format', 'mermaid')).stdout, /^flowchart LR/);
    assert.match((await plan('--format', 'svg')).stdout, /^<svg [\s\S]*<\/svg>/);
    assert.ok(!existsSync(join(out, 'none')));
  });

  it('counts the contents of a run', async () => {
    const { stdout } = await relflow(['stats', out, '--json']);
    const statistics = JSON.parse(stdout) as Record<string, number>;
    assert.equal(statistics['images'], 24);
    assert.ok(statistics['relations']! > 10);
    assert.match((await relflow(['stats', out])).stdout, /predicate +relations\n/);
  });

  it('exports a run', async () => {
    const folder = temporaryFolder();
    for (const format of ['rlipv2', 'rlipv2-candidates', 'rlipv2-frequencies', 'rlipv2-paths']) {
      const file = join(folder, `${format}.json`);
      const { code, stdout, stderr } = await relflow(['export', out, '--format', format, '--file', file]);
      assert.equal(code, 0, stderr);
      JSON.parse(readFileSync(file, 'utf8'));
      assert.match(stdout, / bytes from 24 images with [1-9]\d* relations\n$/);
      assert.doesNotMatch(stderr, /is left/);
    }
  });

  it('traces one image through a run', async () => {
    const { code, stdout } = await relflow(['inspect', '100001', out]);
    assert.equal(code, 0);
    for (const part of [
      /^image 100001: \d+ objects/,
      /\nparse: .*relations/,
      /\nmatch: /,
      /caption 0: "/,
      /\npair/,
      /\ntag/,
    ])
      assert.match(stdout, part);
  });

  it('explains from which folder to resume or inspect a run with relative paths', async () => {
    const graphs = join(temporaryFolder(), 'graphs');
    const [annotations, captions] = ['instances.json', 'captions.json'].map((name) =>
      relative(packageRoot, join(SCENES, name)),
    );
    const args = ['run', 'coco', '--annotations', annotations!, '--captions', captions!, '--out', graphs];
    assert.equal((await relflow(args)).code, 0);
    assert.equal((await relflow(['resume', graphs])).code, 0);
    for (const again of [
      ['resume', graphs],
      ['inspect', '100001', graphs],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [command(), ...again], {
        cwd: temporaryFolder(),
        encoding: 'utf8',
      });
      assert.equal(status, 1);
      const hint = '(relative paths of a run are resolved against the folder where it was started)';
      assert.equal(stderr, `relflow: ${annotations}: no such file ${hint}\n`);
    }
  });

  it('continues when the reader of standard error is gone', async () => {
    const unfinished = join(temporaryFolder(), 'graphs');
    cpSync(out, unfinished, { recursive: true });
    rmSync(join(unfinished, 'manifest.json'));
    const { process: child, ended } = start(['stats', unfinished]);
    child.stderr?.destroy();
    const { code, stdout } = await ended;
    assert.equal(code, 0);
    assert.match(stdout, /predicate +relations\n/);
  });

  it('parses captions from standard input into one line of JSON each', async () => {
    const { stdout } = await relflow(['parse'], 'a man riding a horse\n\na dog on a couch\n');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { relations: { predicate: string }[] });
    assert.deepEqual(
      lines.map(({ relations }) => relations.map(({ predicate }) => predicate)),
      [['riding'], [], ['on']],
    );
  });

  it("names a user's module when it is wrong", async () => {
    const folder = temporaryFolder();
    const plan = async (name: string, options: object, build: string) => {
      const module = join(folder, name);
      const schema = JSON.stringify({ type: 'object', properties: options });
      writeFileSync(
        module,
        `export default { name: 'mine', summary: 's', examples: [], options: ${schema}, build: ${build} };`,
      );
      const { code, stderr } = await relflow(['plan', module]);
      assert.equal(code, 1);
      return stderr;
    };
    const json = { json: { type: 'boolean' } };
    assert.equal(
      await plan('throws.mjs', {}, '() => undefined.graph'),
      "relflow: mine: the recipe failed: TypeError: Cannot read properties of undefined (reading 'graph')\n",
    );
    assert.match(
      await plan('unknown.mjs', { a: { type: 'text' } }, '() => null'),
      /^relflow: mine: its options are not a valid JSON Schema: .*text/,
    );
    assert.match(
      await plan('format.mjs', { format: { type: 'string' } }, '() => null'),
      /format\.mjs: its option 'format' has the name of an option of relflow; choose another\n$/,
    );
    assert.match(await plan('json.mjs', json, '() => null'), /json\.mjs: its option 'json' has the name/);
  });

  it("runs and resumes a pipeline in a user's module", async () => {
    const folder = temporaryFolder();
    const module = join(folder, 'mine.mjs');
    const api = join(packageRoot, 'dist/src/index.js');
    writeFileSync(
      module,
      `import { coco, Graph, operator, recipe, sceneGraphs } from ${JSON.stringify(api)};
       const none = operator({ name: 'none', version: '1', needs: ['image'], adds: ['relations', 'tagger'], apply: () => ({ relations: [], tagger: null }) });
       export default recipe({
         name: 'mine', summary: 'boxes alone', examples: [],
         options: { type: 'object', properties: { annotations: { type: 'string' } }, required: ['annotations'], additionalProperties: false },
         build: ({ annotations }) => { const graph = new Graph('mine'); graph.from(coco({ annotations })).pipe(none).to(sceneGraphs()); return graph; },
       });`,
    );
    const mine = join(folder, 'out');
    const ran = await relflow([
      'run',
      module,
      '--annotations',
      join(SCENES, 'instances.json'),
      '--out',
      mine,
      '--allow-empty',
    ]);
    assert.equal(ran.code, 0, ran.stderr);
    const resumed = await relflow(['resume', mine, '--json', '--allow-empty']);
    assert.equal((JSON.parse(resumed.stdout) as { finished: boolean }).finished, true, resumed.stderr);
  });
});
