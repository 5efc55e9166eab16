import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/package-info.js';
import { command, type Ended, SCENES } from '../support/command.js';
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
  /** Runs commands one after another in one process of the compiled relflow. */
  function relflow(hidden: readonly string[], commands: readonly (readonly string[])[]): Ended[] {
    const runCli = pathToFileURL(join(dirname(command()), 'run-cli.js')).href;
    const script = `import { PassThrough } from 'node:stream';
      const { runCli } = await import(${JSON.stringify(runCli)});
      const ended = [];
      for (const args of ${JSON.stringify(commands)}) {
        const [stdout, stderr] = [0, 1].map(() => new PassThrough({ encoding: 'utf8', highWaterMark: 1e9 }));
        const code = await runCli(args, { stdin: process.stdin, stdout, stderr, env: process.env });
        ended.push({ code, stdout: stdout.read() ?? '', stderr: stderr.read() ?? '' });
      }
      process.stdout.write(JSON.stringify(ended));`;
    const file = join(temporaryFolder(), 'commands.mjs');
    writeFileSync(file, script);
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', hiding(...hidden), file], {
      cwd: packageRoot,
      encoding: 'utf8',
      env: { ...process.env, RELFLOW_QUEUE: '' },
    });
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout) as Ended[];
  }
  const server = 'redis://127.0.0.1:1';

  it('runs, validates and lists', () => {
    const out = join(temporaryFolder(), 'graphs');
    const inputs = ['--annotations', join(SCENES, 'instances.json'), '--captions', join(SCENES, 'captions.json')];
    const commands = [
      ['run', 'coco', ...inputs, '--out', out],
      ['validate', out],
      ['stats', out],
      ['list'],
      ['worker', '--help'],
    ];
    for (const { code, stderr } of relflow(['bullmq', 'ioredis'], commands)) assert.equal(code, 0, stderr);
  });

  for (const missing of ['bullmq', 'ioredis'])
    it(`says what to install when a queue is used without ${missing}`, () => {
      const out = join(temporaryFolder(), 'queued');
      const commands = [
        ['worker', '--queue', server],
        ['run', 'demo', '--out', out, '--queue', server],
        ['status', out, '--queue', server],
      ];
      for (const { code, stdout, stderr } of relflow([missing], commands)) {
        assert.deepEqual(
          [code, stdout, stderr.trim().split('\n').at(-1)],
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
