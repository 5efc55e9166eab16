import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OutputError } from '../../src/errors.js';
import { TemporaryFolder } from '../../src/files/spools/temporary-folder.js';
import { temporaryFolder } from '../support/folders.js';

describe('TemporaryFolder', () => {
  it('is created below its parent and removed with its content', async () => {
    const parent = join(temporaryFolder(), 'not', 'yet');
    const folder = await TemporaryFolder.create(parent);
    writeFileSync(join(folder.path, 'x'), '');
    assert.equal(readdirSync(parent).length, 1);
    await folder.remove();
    await folder.remove();
    assert.deepEqual(readdirSync(parent), []);
  });

  it('is removed when the process exits', () => {
    const parent = temporaryFolder();
    const module = new URL('../../src/files/spools/temporary-folder.ts', import.meta.url).href;
    const code = `
      const { TemporaryFolder } = await import(${JSON.stringify(module)});
      for (let i = 0; i < 20; i++) await TemporaryFolder.create(${JSON.stringify(parent)});
      throw new Error('a bug');
    `;
    const run = () =>
      execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { stdio: 'pipe' });
    assert.throws(run, /a bug/);
    assert.deepEqual(readdirSync(parent), []);
  });

  it('throws an OutputError if it cannot be created', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    assert.ok(existsSync(file));
    await assert.rejects(TemporaryFolder.create(join(file, 'below')), OutputError);
  });
});
