import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-info.js';
import { command } from '../support/build.js';
import { temporaryFolder } from '../support/folders.js';

/** A module hook under which some packages seem not to be installed. */
function hiding(...packages: string[]): string {
  const hook = `export async function resolve(name, context, next) {
    if (!${JSON.stringify(packages)}.includes(name)) return next(name, context);
    throw Object.assign(new Error("Cannot find package '" + name + "' imported from " + context.parentURL), { code: 'ERR_MODULE_NOT_FOUND' });
  }`;
  const module = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
  return module(`import { register } from 'node:module'; register(${JSON.stringify(module(hook))});`);
}

describe('without the optional packages of the queues', () => {
  const relflow = (hidden: readonly string[], ...args: string[]) =>
    spawnSync(process.execPath, ['--import', hiding(...hidden), command(), ...args], {
      cwd: packageRoot,
      encoding: 'utf8',
      env: { ...process.env, RELFLOW_QUEUE: '' },
    });
  const server = 'redis://127.0.0.1:1';

  it('runs, validates and lists', () => {
    const out = join(temporaryFolder(), 'demo');
    for (const args of [
      ['run', 'demo', '--out', out],
      ['validate', out],
      ['stats', out],
      ['list'],
      ['worker', '--help'],
    ]) {
      const { status, stderr } = relflow(['bullmq', 'ioredis'], ...args);
      assert.equal(status, 0, stderr);
    }
  });

  for (const missing of ['bullmq', 'ioredis'])
    it(`says what to install when a queue is used without ${missing}`, () => {
      const out = join(temporaryFolder(), 'queued');
      for (const args of [
        ['worker', '--queue', server],
        ['run', 'demo', '--out', out, '--queue', server],
        ['status', out, '--queue', server],
      ]) {
        const { status, stdout, stderr } = relflow([missing], ...args);
        assert.deepEqual(
          [status, stdout, stderr.trim().split('\n').at(-1)],
          [
            1,
            '',
            `relflow: queues need the packages bullmq and ioredis, and ${missing} is not installed: npm install --ignore-scripts bullmq ioredis`,
          ],
        );
        assert.ok(!existsSync(join(out, 'manifest.json')));
      }
    });
});
