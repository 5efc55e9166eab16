import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';

const train = (...args: string[]) =>
  new Promise<{ readonly status: unknown; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const command = ['--import', 'tsx', 'parser-training/train-parser.ts', ...args];
    execFile(process.execPath, command, (error, stdout, stderr) =>
      resolve({ status: error ? error.code : 0, stdout, stderr }),
    );
  });

describe('npm run train:parser', () => {
  it('prints its usage and rejects wrong arguments', async () => {
    const help = await train('--help');
    assert.deepEqual([help.status, help.stdout.startsWith('npm run train:parser -- DIR')], [0, true]);
    assert.equal((await train()).status, 2);
    const odd = await train('.', '--epochs', 'many');
    assert.deepEqual([odd.status, odd.stderr.trim()], [2, '--epochs: many, expected a whole number']);
    const missing = await train('.', '--captions', 'nowhere.txt');
    assert.deepEqual([missing.status, missing.stderr.trim()], [2, 'nowhere.txt: no such file']);
  });
});
