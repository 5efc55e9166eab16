import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { visibleText } from '../../src/cli/visible-text.js';
import { command, type Ended, relflow, SCENES } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

// cspell:ignore mhorse mpredicate mstage
const ESC = '\u001b';
/** Clears the screen, forges a message, turns the direction of text around and sets the title by a C1 sequence. */
const HOSTILE = `${ESC}[2J${ESC}[31mhorse\nrelflow: forged\r\u202egpj\u2069\u009b31m\u0007`;
const SHOWN = '\\x1b[2J\\x1b[31mhorse\\nrelflow: forged\\r\\u202egpj\\u2069\\u009b31m\\x07';

describe('terminal output of hostile names', () => {
  let folder: string;
  let out: string;
  let inputs: string[];

  before(async () => {
    folder = temporaryFolder();
    out = join(folder, 'out');
    const annotations = join(folder, 'instances.json');
    const captions = join(folder, 'captions.json');
    writeFileSync(
      annotations,
      JSON.stringify({
        images: [
          { id: 4, file_name: `${HOSTILE}.jpg`, width: 100, height: 100 },
          { id: 1, file_name: '1.jpg', width: 100, height: 100 },
          { id: HOSTILE, file_name: '2.jpg', width: 100, height: 100 },
          { id: 3, file_name: '3.jpg', width: 100, height: 100 },
        ],
        categories: [
          { id: 1, name: 'man' },
          { id: 2, name: HOSTILE },
          { id: 3, name: 'horse' },
        ],
        annotations: [
          { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 50, 50] },
          { id: 2, image_id: 1, category_id: 3, bbox: [20, 20, 50, 50] },
          { id: 3, image_id: 1, category_id: 2, bbox: [20, 20, 50, 50] },
          { id: HOSTILE, image_id: 1, category_id: HOSTILE, bbox: [20, 20, 50, 50] },
        ],
      }),
    );
    writeFileSync(
      captions,
      JSON.stringify({
        1: ['a man riding a horse', `a man riding a horse next to a ${HOSTILE}`],
        [HOSTILE]: [`a ${HOSTILE} on a man`],
      }),
    );
    inputs = ['--annotations', annotations, '--captions', captions];
    const { code, stderr } = await relflow(['run', 'coco', ...inputs, '--out', out, '--json']);
    assert.equal(code, 0, stderr);
  });

  /** Checks that the output obeys no character of the data. */
  function assertVisible({ stdout, stderr }: Ended, what: string): void {
    for (const text of [stdout, stderr]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/, what);
      assert.doesNotMatch(text, /^relflow: forged/m, what);
    }
  }

  it('shows control characters and never writes them, in every command', async () => {
    const invalid = join(folder, 'invalid.jsonl');
    const line = JSON.parse(readFileSync(join(out, 'scene-graphs/00000.jsonl'), 'utf8').split('\n')[0]!);
    writeFileSync(invalid, JSON.stringify({ ...line, [HOSTILE]: 1 }));
    const answers = join(folder, 'answers.jsonl');
    writeFileSync(answers, `{"format":${JSON.stringify(HOSTILE)}}\n`);
    const module = join(folder, 'mine.mjs');
    writeFileSync(
      module,
      `export default { name: 'mine', summary: ${JSON.stringify(HOSTILE)}, examples: [${JSON.stringify(HOSTILE)}],
         options: { type: 'object', properties: { a: { type: 'string', description: ${JSON.stringify(HOSTILE)} } } },
         build: () => { throw new Error(${JSON.stringify(HOSTILE)}); } };`,
    );
    const store = ['--store', join(folder, 'store')];
    const shown: [string[], string?][] = [
      [['plan', 'coco', ...inputs]],
      [['plan', 'coco', ...inputs, '--format', 'json']],
      [['plan', 'coco', ...inputs, '--format', 'mermaid']],
      [['plan', 'coco', ...inputs, '--format', 'svg']],
      [['run', 'coco', ...inputs, '--out', join(folder, 'again')]],
      [['run', 'coco', ...inputs, '--out', join(folder, HOSTILE)]],
      [['run', 'coco', ...inputs, '--out', join(folder, 'json'), '--json', '--progress', 'json']],
      [['run', 'coco', '--annotations', HOSTILE, '--captions', 'c', '--out', 'x']],
      [['run', 'coco', HOSTILE]],
      [['run', HOSTILE]],
      [['run', 'coco', `--${HOSTILE}`]],
      [['run', module, '--out', join(folder, 'mine')]],
      [['run', module, '--help']],
      [['resume', HOSTILE]],
      [['stats', out]],
      [['stats', out, '--json']],
      [['inspect', '1', out]],
      [['inspect', HOSTILE, out]],
      [['inspect', HOSTILE, out, '--json']],
      [['validate', out, invalid, HOSTILE]],
      [['validate', invalid, '--json']],
      [['export', out, '--format', HOSTILE, '--file', join(folder, 'x')]],
      [['export', out, '--format', 'rlipv2', '--file', join(folder, `${HOSTILE}.json`)]],
      [['parse'], `a ${HOSTILE} on a man\n`],
      [['parse', '--format', 'factual'], `a man riding a ${HOSTILE}\n`],
      [['captions', 'import', answers, ...store]],
      [['captions', 'export', join(folder, `${HOSTILE}.jsonl`), ...store]],
      [['weights', 'inspect', HOSTILE]],
      [['evaluate', 'predicates', join(out, 'scene-graphs/00000.jsonl'), '--by-predicate']],
      [['evaluate', 'predicates', HOSTILE]],
      [['train', 'tagger', '--config', HOSTILE]],
      [['list', '--json']],
    ];
    for (const [args, input] of shown) assertVisible(await relflow(args, input), args.join(' '));
  });

  it('shows the characters by name, and JSON keeps its values', async () => {
    assert.equal(visibleText(HOSTILE), SHOWN);
    const { stdout } = await relflow(['stats', out]);
    assert.ok(stdout.includes(SHOWN), stdout);
    const { categories } = JSON.parse((await relflow(['stats', out, '--json'])).stdout) as { categories: string[][] };
    assert.ok(categories.some(([name]) => name === HOSTILE));
    const { stderr } = await relflow(['validate', `${folder}/none-${HOSTILE}`]);
    const [start, end] = SHOWN.split('\\n');
    assert.equal(stderr, `relflow: ${folder}/none-${start}\n  ${end}: no such file or folder\n`);
  });

  it('styles only its own text', async () => {
    const plain = await relflow(['stats', out]);
    const styled = await relflow(['stats', out], '', { FORCE_COLOR: '1' });
    assert.match(styled.stdout, new RegExp(`${ESC}\\[1mpredicate`));
    assert.equal(stripVTControlCharacters(styled.stdout), plain.stdout);
    assert.ok(styled.stdout.includes(SHOWN));
  });
});

describe('colors', () => {
  const styled = (text: string) => text.includes(ESC);

  it('follow NO_COLOR and FORCE_COLOR, and are off without a terminal', async () => {
    for (const [env, expected] of [
      [{}, false],
      [{ FORCE_COLOR: '1' }, true],
      [{ FORCE_COLOR: '' }, true],
      [{ FORCE_COLOR: '0' }, false],
      [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false],
      [{ FORCE_COLOR: '1', NO_COLOR: '' }, true],
    ] as const) {
      assert.equal(styled((await relflow(['list'], '', env)).stdout), expected, JSON.stringify(env));
      assert.equal(styled((await relflow(['--help'], '', env)).stdout), expected, JSON.stringify(env));
      assert.equal(styled((await relflow(['resume', 'none'], '', env)).stderr), expected, JSON.stringify(env));
    }
  });
});

describe('progress', () => {
  const arguments_ = (out: string) => [
    'run',
    'coco',
    ...['--annotations', join(SCENES, 'instances.json'), '--captions', join(SCENES, 'captions.json'), '--out', out],
  ];

  it('is quiet without a terminal, JSON on request, and never on standard output', async () => {
    const quiet = await relflow(arguments_(join(temporaryFolder(), 'out')));
    assert.equal(quiet.stderr, '');
    const asked = await relflow([...arguments_(join(temporaryFolder(), 'out')), '--json', '--progress', 'json']);
    JSON.parse(asked.stdout);
    const events = asked.stderr.trim().split('\n');
    const phases = new Set(events.map((line) => (JSON.parse(line) as { phase: string }).phase));
    for (const phase of ['checking', 'records', 'finishing']) assert.ok(phases.has(phase), asked.stderr);
    const bar = await relflow([...arguments_(join(temporaryFolder(), 'out')), '--progress', 'bar']);
    assert.match(bar.stderr, /images/);
    const none = await relflow([...arguments_(join(temporaryFolder(), 'out')), '--progress', 'bar', '--quiet']);
    assert.equal((await relflow(['run', 'coco', '--progress', 'spinner'])).code, 2);
    assert.equal(none.stderr, '');
  });

  it('is a bar on a terminal, with colors unless NO_COLOR is set', function () {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    const inTerminal = (name: string, env: NodeJS.ProcessEnv) => {
      const line = [process.execPath, command(), ...arguments_(join(folder, name))].map((part) => `'${part}'`);
      const { error, stdout } = spawnSync('script', ['-qec', line.join(' '), '/dev/null'], {
        encoding: 'utf8',
        env: { ...process.env, TERM: 'xterm', NO_COLOR: '', ...env },
      });
      // A machine without util-linux has no pseudo-terminal for this test.
      if (error) this.skip();
      return stdout;
    };
    const colored = inTerminal('colored', {});
    assert.match(colored, /images \[[█░]+\] \d+% \d+\/24/);
    assert.ok(colored.includes(`${ESC}[1mstage`), colored);
    const plain = inTerminal('plain', { NO_COLOR: '1' });
    assert.match(plain, /images \[/);
    assert.ok(!plain.includes(`${ESC}[1m`));
  });
});
