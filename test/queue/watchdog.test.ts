import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { command } from '../support/command.js';

describe('startWatchdog', () => {
  const run = (text: string) => {
    const module = pathToFileURL(join(dirname(command()), '../queue/watchdog.js')).href;
    const code = `import { startWatchdog } from ${JSON.stringify(module)};\n${text}`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  };

  it('kills a process whose main thread is blocked, with a message', () => {
    const { signal, stderr } = run('startWatchdog(1); setTimeout(() => { for (;;); }, 500);');
    assert.equal(signal, 'SIGKILL');
    assert.equal(
      stderr,
      'relflow: a record has blocked this process for 1 s; the process ends, and other workers process its shards\n',
    );
  });
});
