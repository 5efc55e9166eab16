import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/package-info.js';
import { temporaryFolder } from '../support/folders.js';

describe('docs/training.md', () => {
  it('has an example that trains two steps on the scenes of the package', async () => {
    const [, code] = /```ts\n(.*?)```/s.exec(readFileSync(join(packageRoot, 'docs/training.md'), 'utf8'))!;
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(packageRoot, join(folder, 'node_modules/relflow'));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    // The sources stand for the package, so that the test needs no build.
    const entry = pathToFileURL(join(packageRoot, 'src/training/index.ts')).href;
    writeFileSync(join(folder, 'example.ts'), code!.replace("'relflow/training'", `'${entry}'`));
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, 'example.ts'], { cwd: folder });
    assert.match(stdout, /^2 steps, loss \d+\.\d\d: run\/weights\.safetensors\n$/);
    const log = readFileSync(join(folder, 'run/log.jsonl'), 'utf8').trim().split('\n');
    assert.equal(log.map((line) => JSON.parse(line)).filter(({ event }) => event === 'step').length, 2);
  });
});
