import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nativePackage } from '../../../src/model/backends/start-native-backend.js';
import { start } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';

describe('compiled kernels of the backend tensorflow', function () {
  this.timeout(300_000);
  const cache = join(temporaryFolder(), 'cache');
  const environment = ['env', `RELFLOW_CACHE=${cache}`, 'TF_CPP_MIN_LOG_LEVEL=3'];

  before(function () {
    const missing =
      nativePackage() === undefined
        ? '@tensorflow/tfjs-node is not installed, see docs/backends.md'
        : spawnSync('cc', ['--version']).status !== 0 && 'there is no C compiler';
    if (!missing) return;
    console.log(`      skipped: ${missing}`);
    this.skip();
  });

  /** Runs `relflow doctor`. @returns its line about these kernels, and standard error */
  async function doctor(...args: string[]): Promise<{ readonly line: string | undefined; readonly stderr: string }> {
    const { process: child, ended } = start(['doctor', '--threads', '2', ...args], environment);
    child.stdin?.end();
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0, stderr);
    return { line: stdout.split('\n').find((text) => text.startsWith('kernels of tensorflow')), stderr };
  }

  it('are compiled by doctor, and found by later processes', async () => {
    assert.match(
      (await doctor()).line!,
      /^kernels of tensorflow are not compiled: .* run relflow doctor --build-kernels/,
    );
    const { line } = await doctor('--build-kernels');
    assert.ok(line!.startsWith('kernels of tensorflow were compiled by ') && line!.includes(cache), line);
    assert.equal((await doctor()).line, line);
    const [name] = readdirSync(join(cache, 'kernels'));
    assert.deepEqual(readdirSync(join(cache, 'kernels', name!)).sort(), ['kernels.json', 'kernels.node']);
  });

  it('compute what the other kernels compute, as single operations and in graphs', async () => {
    const files = ['test/model/backends/native-kernels.test.ts', 'test/model/recording/kernel-nodes.test.ts'];
    const mocha = [join('node_modules', 'mocha', 'bin', 'mocha.js'), ...files, '--timeout', '120000'];
    const { stdout } = await promisify(execFile)(process.execPath, mocha, {
      env: { ...process.env, RELFLOW_CACHE: cache },
    });
    assert.match(stdout, /\d\d passing/);
  });

  it('are not loaded, with a warning, when the file is not the one that was compiled', async () => {
    const [name] = readdirSync(join(cache, 'kernels'));
    const file = join(cache, 'kernels', name!, 'kernels.node');
    appendFileSync(file, 'x');
    const { line, stderr } = await doctor();
    assert.match(line!, /are not compiled/);
    const warning = `RelflowWarning: backend tensorflow: compiled kernels are not loaded: ${file} is not the file that was compiled; `;
    assert.ok(stderr.includes(warning), stderr);
    assert.match((await doctor('--build-kernels')).line!, /were compiled/);
  });
});
