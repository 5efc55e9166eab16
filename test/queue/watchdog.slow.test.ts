import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { command } from '../support/command.js';

describe('startWatchdog, slowly', () => {
  const run = (text: string) => {
    const module = pathToFileURL(join(dirname(command()), '../queue/watchdog.js')).href;
    const code = `import { startWatchdog } from ${JSON.stringify(module)};\n${text}`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  };

  it('does not kill a process that waits, and does not keep one alive', () => {
    const { status, stderr } = run('startWatchdog(2); setTimeout(() => {}, 4000);');
    assert.deepEqual([status, stderr], [0, '']);
  });
});
