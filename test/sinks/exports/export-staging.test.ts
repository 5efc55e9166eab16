import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../../src/files/make-folder.js';
import { ExportStaging } from '../../../src/sinks/exports/export-staging.js';
import { putFile, temporaryFolder } from '../../support/folders.js';

/** Opens a folder and finishes two files in it, as a process that is then killed: its lock ends, its files stay. */
async function killed(path: string, identity = 'a'): Promise<string> {
  const staging = await ExportStaging.open(path, identity);
  await makeFolder(join(staging.folder, 'data'));
  for (const name of ['data/0', 'data/1']) {
    writeFileSync(join(staging.folder, name), name);
    await staging.finish(name, { graphs: 1, source: name, notes: {} });
  }
  putFile(join(staging.folder, 'data/2'), 'half');
  await staging.release();
  return staging.folder;
}

const finishedIn = (staging: ExportStaging) => ['data/0', 'data/1', 'data/2'].filter((name) => staging.finished(name));

describe('ExportStaging', () => {
  it('keeps what the same export had finished, and nothing else', async () => {
    const path = join(temporaryFolder(), 'export');
    const folder = await killed(path);
    const again = await ExportStaging.open(path, 'a');
    assert.equal(again.folder, folder);
    assert.deepEqual(finishedIn(again), ['data/0', 'data/1']);
    assert.deepEqual(readdirSync(join(folder, 'data')), ['0', '1']);
    await again.release();
  });

  it('keeps a file that had got its last name, and one before a line that was cut off', async () => {
    const path = join(temporaryFolder(), 'export');
    const folder = await killed(path);
    const second = await ExportStaging.open(path, 'a');
    await second.rename('data/0', 'data/last');
    await second.release();
    appendFileSync(join(folder, 'relflow-export.journal.jsonl'), '{"path":"data/2","by');
    const third = await ExportStaging.open(path, 'a');
    assert.deepEqual(finishedIn(third), ['data/0', 'data/1']);
    await third.release();
  });

  it('does not keep files that are damaged, nor those of another export', async () => {
    const path = join(temporaryFolder(), 'export');
    const folder = await killed(path);
    writeFileSync(join(folder, 'data/0'), 'other');
    const damaged = await ExportStaging.open(path, 'a');
    assert.deepEqual(finishedIn(damaged), ['data/1']);
    await damaged.release();
    const other = await ExportStaging.open(path, 'b');
    assert.deepEqual(finishedIn(other), []);
    assert.ok(!existsSync(folder));
    await other.release();
  });

  it('leaves the folder of a process that is at work', async () => {
    const path = join(temporaryFolder(), 'export');
    const working = await ExportStaging.open(path, 'a');
    const other = await ExportStaging.open(path, 'a');
    assert.notEqual(other.folder, working.folder);
    assert.ok(existsSync(working.folder));
    await working.release();
    await other.release();
  });

  it('touches nothing that a journal names outside of the folder', async () => {
    const parent = temporaryFolder();
    const folder = await killed(join(parent, 'export'));
    putFile(join(parent, 'mine'));
    const lines = [
      { path: '../mine', bytes: 4, sha256: 'x', graphs: 1, source: '', notes: {} },
      { path: 'data/0', renamed: '../mine' },
    ];
    for (const line of lines) appendFileSync(join(folder, 'relflow-export.journal.jsonl'), `${JSON.stringify(line)}\n`);
    const again = await ExportStaging.open(join(parent, 'export'), 'a');
    assert.deepEqual(finishedIn(again), ['data/0', 'data/1']);
    assert.ok(existsSync(join(parent, 'mine')));
    await again.release();
  });
});
