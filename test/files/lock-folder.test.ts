import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OutputError } from '../../src/errors.js';
import { lockFolder } from '../../src/files/lock-folder.js';
import { temporaryFolder } from '../support/folders.js';

describe('lockFolder', () => {
  it('refuses a second owner in the same process, names the owner, and removes the lock file at the end', async () => {
    const folder = temporaryFolder();
    const file = join(folder, '.relflow', 'lock');
    const unlock = await lockFolder(folder, file);
    await assert.rejects(
      lockFolder(folder, file),
      (error) => error instanceof OutputError && error.message.includes(`: process ${process.pid} is writing to it; `),
    );
    await unlock();
    assert.ok(!existsSync(file));
    await (await lockFolder(folder, file))();
  });

  it('takes over a lock file that a killed process left, whatever it contains', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'lock');
    // The process with this id is alive, but it does not hold the lock: ids are used again.
    for (const left of ['', String(process.ppid), String(process.pid), 'x'.repeat(5000)]) {
      writeFileSync(file, left);
      const unlock = await lockFolder(folder, file);
      assert.equal(readFileSync(file, 'utf8'), `${process.pid}\n`);
      await unlock();
    }
  });

  it('names a folder that is a file', async () => {
    const folder = join(temporaryFolder(), 'file');
    writeFileSync(folder, '');
    await assert.rejects(
      lockFolder(folder, join(folder, '.relflow', 'lock')),
      (error) => error instanceof OutputError && /file: not a folder$/.test(error.message),
    );
  });
});
