import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunFolder } from '../../src/index.js';
import { relflow, SCENES } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

const inputs = ['--annotations', join(SCENES, 'instances.json'), '--captions', join(SCENES, 'captions.json')];

/** Runs commands as a user who has started nothing yet. */
async function asSomebodyElse<T>(work: () => Promise<T>): Promise<T> {
  const own = process.env['RELFLOW_STATE'];
  process.env['RELFLOW_STATE'] = join(temporaryFolder(), 'state');
  try {
    return await work();
  } finally {
    process.env['RELFLOW_STATE'] = own;
  }
}

describe('a run that somebody else started', () => {
  it('is executed only with --trust; the own one without a word', async () => {
    const out = join(temporaryFolder(), 'out');
    assert.equal((await relflow(['run', 'coco', ...inputs, '--out', out, '--quiet'])).code, 0);
    const commands = [
      ['inspect', '1', out],
      ['resume', out, '--quiet'],
      ['finish', out, '--quiet'],
    ];
    for (const args of commands) {
      const own = await relflow(args);
      assert.doesNotMatch(own.stderr, /not started by you/, args[0]);
      await asSomebodyElse(async () => {
        const { code, stderr } = await relflow(args);
        assert.equal(code, 1);
        assert.match(
          stderr,
          new RegExp(
            `^relflow: ${args[0]}: the run in .*out was not started by you on this machine, so its options are not used; it would use annotations ".*instances\\.json", .*; if you trust it, add --trust \\(see docs/trust\\.md\\)\\n$`,
          ),
        );
        assert.doesNotMatch((await relflow([...args, '--trust'])).stderr, /not started by you/);
      });
    }
    // Reading needs no trust.
    await asSomebodyElse(async () => {
      for (const args of [
        ['stats', out],
        ['validate', out],
      ])
        assert.equal((await relflow(args)).code, 0);
    });
  });

  it('stays trusted when its folder is moved, and not when its definition is changed', async () => {
    const out = join(temporaryFolder(), 'out');
    await relflow(['run', 'coco', ...inputs, '--out', out, '--quiet']);
    const file = new RunFolder(out).internalPath('run.json');
    const state = JSON.parse(readFileSync(file, 'utf8'));
    state.options.options.images = '/etc';
    writeFileSync(file, JSON.stringify(state));
    assert.match((await relflow(['inspect', '1', out])).stderr, /use annotations .*, use images "\/etc"/);
  });

  it('has its module imported only when the person names this module', async () => {
    const folder = temporaryFolder();
    const marker = join(folder, 'marker');
    const module = join(folder, 'mine.mjs');
    const { code } = await relflow(['run', 'coco', ...inputs, '--out', join(folder, 'out'), '--quiet']);
    assert.equal(code, 0);
    writeFileSync(
      module,
      `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(marker)}, 'ran'); export default {};`,
    );
    const file = new RunFolder(join(folder, 'out')).internalPath('run.json');
    const state = JSON.parse(readFileSync(file, 'utf8'));
    state.options.recipe = module;
    writeFileSync(file, JSON.stringify(state));
    for (const args of [['inspect', '1'], ['resume'], ['finish']])
      for (const flags of [[], ['--trust'], ['--recipe', module], ['--trust', '--recipe', join(folder, 'other.mjs')]]) {
        const { stderr } = await relflow([...args, join(folder, 'out'), ...flags]);
        assert.match(stderr, /it would run the module ".*mine\.mjs"/);
        assert.ok(!existsSync(marker), `${args} ${flags}`);
      }
    const named = await relflow(['inspect', '1', join(folder, 'out'), '--trust', '--recipe', module]);
    assert.match(named.stderr, /the default export is not a recipe/);
    assert.ok(existsSync(marker));
  });

  it('sends requests only to an address that the person names, with no token but theirs', async () => {
    const folder = temporaryFolder();
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'hf_abcdefghijklmnop');
    const out = join(folder, 'out');
    await relflow(['run', 'coco', ...inputs, '--out', out, '--quiet']);
    const file = new RunFolder(out).internalPath('run.json');
    const state = JSON.parse(readFileSync(file, 'utf8'));
    const { captions: _, ...options } = state.options.options;
    const endpoint = {
      captioner: 'hf-chat',
      endpointUrl: 'http://127.0.0.1:9',
      parser: 'factual-t5',
      parserEndpointUrl: 'http://127.0.0.1:9',
      tokenFile: secret,
    };
    state.options.options = { ...options, images: join(SCENES, 'images'), ...endpoint };
    writeFileSync(file, JSON.stringify(state));
    const { stderr } = await relflow(['inspect', '1', out, '--trust']);
    assert.match(
      stderr,
      /it would send requests to "http:\/\/127\.0\.0\.1:9", send requests to .*; if you trust it, add --endpoint-url URL --parser-endpoint-url URL \(/,
    );
    assert.doesNotMatch(stderr, /secret/);
  });
});
