import assert from 'node:assert/strict';
import { join } from 'node:path';
import { temporaryFolder } from '../support/folders.js';
import { keptInputs } from './fixture.js';
import { makeInput, readerOf, readers, tryInput } from './readers.js';

describe('Readers of files from elsewhere', () => {
  for (const { reader, path, files } of keptInputs())
    it(`bear the input ${path}`, async () => {
      assert.equal((await tryInput(readerOf(reader), join(temporaryFolder(), 'input'), files)).problem, null);
    });

  it('read or refuse inputs of every kind, a few of each', async () => {
    for (const reader of readers) {
      let read = 0;
      // Few inputs of some readers are read.
      for (let n = 0; n < 5 || (read === 0 && n < 30); n++) {
        const folder = join(temporaryFolder(), 'input');
        const { refused, problem } = await tryInput(reader, folder, await makeInput(reader, 1, n));
        assert.equal(problem, null, `${reader.name}, input ${n} of seed 1`);
        if (!refused) read++;
      }
      assert.ok(read > 0, `${reader.name}: every input was refused`);
    }
  });
});
