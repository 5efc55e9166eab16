import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-info.js';
import { command, relflow, SCENES } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

const inputs = ['--annotations', join(SCENES, 'instances.json'), '--captions', join(SCENES, 'captions.json')];

/** Runs the compiled relflow with a file as standard output. */
function relflowTo(stdout: number, args: readonly string[]) {
  const { status, stderr } = spawnSync(process.execPath, [command(), ...args], {
    cwd: packageRoot,
    stdio: ['ignore', stdout, 'pipe'],
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, stderr };
}

describe('an error of the operating system ends in one line and exit code 1', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  const full = 'standard output: the disk is full (write: ENOSPC)';
  for (const args of [['list'], ['--help'], ['plan', 'demo'], ['list', '--json']]) {
    it(`when standard output is full: ${args.join(' ')}`, () => {
      assert.deepEqual(relflowTo(openSync('/dev/full', 'w'), args), { status: 1, stderr: `relflow: ${full}\n` });
    });
  }

  it('when the output folder is on a special file system, or its name is too long', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    for (const out of [
      '/proc/relflow',
      '/sys/relflow',
      '/dev/full/out',
      `/tmp/${'x'.repeat(300)}`,
      join(file, 'out'),
    ]) {
      for (const args of [
        ['run', 'coco', ...inputs, '--quiet', '--out', out],
        ['run', 'coco', ...inputs, '--quiet', '--out', out, '--shard', '1/2'],
      ]) {
        const { code, stderr } = await relflow(args);
        assert.equal(code, 1, stderr);
        assert.match(stderr, /^relflow: [^\n]+\n$/);
        assert.ok(stderr.includes(out), stderr);
        assert.doesNotMatch(stderr, /error of relflow itself/);
      }
    }
  });
});
