import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-info.js';
import { temporaryFolder } from '../support/folders.js';

const script = (...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', ...args], { cwd: packageRoot, encoding: 'utf8' });

describe('scripts of the project', () => {
  for (const [file, wrong, message] of [
    ['scripts/train-sprite-tagger.ts', ['--steps', 'many'], '--steps many, expected a whole number of at least 1'],
    ['bench/circle.ts', ['--tagger', 'nowhere'], '--tagger nowhere, expected a file of weights'],
    ['bench/training.ts', ['--rounds', 'x'], '--rounds x, expected a whole number of at least 1'],
  ] as const)
    it(`${file} rejects ${wrong.join(' ')} before any work`, () => {
      const out = join(temporaryFolder(), 'out');
      const { status, stderr } = script(file, ...(file === 'bench/training.ts' ? [] : ['--out', out]), ...wrong);
      assert.equal(status, 2);
      assert.equal(stderr.split('\n')[0], message);
      assert.ok(!existsSync(out));
    });
});
