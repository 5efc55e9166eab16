import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { trainingSettings } from '../../src/training/settings/training-settings.js';
import { TrainingFolder } from '../../src/training/training-folder.js';
import { digests, putFile, temporaryFolder } from '../support/folders.js';

const settings = trainingSettings({
  task: 'tagger',
  model: 'tinyTagger',
  data: [{ sceneGraphs: 'graphs.jsonl', images: 'images' }],
  epochs: 1,
  batchSize: 1,
  augmentation: 'tiny',
});

/** Makes the folder of a training with two checkpoints. */
async function trained(): Promise<string> {
  const out = join(temporaryFolder(), 'out');
  await new TrainingFolder(out).start(settings, {});
  for (const name of ['log.jsonl', 'curves.html', 'weights.safetensors', 'failure.json']) putFile(join(out, name));
  for (const step of ['step-00000001', '.step-00000002.partial'])
    for (const name of ['state.json', 'weights.safetensors', 'optimizer.safetensors'])
      putFile(join(out, 'checkpoints', step, name));
  return out;
}

const overwritten = async (out: string) => {
  const folder = new TrainingFolder(out);
  await folder.check(settings, { overwrite: true });
  await folder.start(settings, { overwrite: true });
};

describe('files of the user in the folder of a training', () => {
  for (const path of [
    '.git/config',
    'photos/1.jpg',
    'checkpoints/notes.txt',
    'checkpoints/step-00000001/notes.txt',
    'log.jsonl.1',
  ])
    it(`--overwrite refuses a folder with ${path}, and removes nothing`, async () => {
      const out = await trained();
      putFile(join(out, path));
      const before = digests(out);
      const named = path.startsWith('checkpoints') ? path : path.split('/')[0];
      await assert.rejects(overwritten(out), {
        code: 'bad-output',
        message: `${out}: contains files that no training wrote: ${named}; move them away, or choose another folder`,
      });
      assert.deepEqual(digests(out), before);
    });

  it('are not replaced by a training in a folder without one', async () => {
    for (const name of ['settings.json', 'log.jsonl', 'weights.safetensors', 'curves.html']) {
      const out = temporaryFolder();
      putFile(join(out, name), '{"editor.tabSize": 2}');
      for (const options of [{}, { overwrite: true }])
        await assert.rejects(new TrainingFolder(out).check(settings, options), /contains files that no training wrote/);
    }
    const out = temporaryFolder();
    putFile(join(out, 'config.json'));
    await new TrainingFolder(out).check(settings, {});
  });

  it('do not include what a training that was killed at its start leaves', async () => {
    const out = temporaryFolder();
    putFile(join(out, 'settings.json.873f10ec-5a84-4e50-b757-39e9a0796bba.partial'));
    const folder = new TrainingFolder(out);
    await folder.check(settings, {});
    await folder.start(settings, {});
    assert.deepEqual(Object.keys(digests(out)), ['settings.json']);
    putFile(join(out, 'log.jsonl.partial'));
    await assert.rejects(new TrainingFolder(out).check(settings, {}), /already contains a training/);
  });

  it('are not reached through links', async () => {
    const target = temporaryFolder();
    putFile(join(target, 'step-00000001/state.json'));
    const out = join(temporaryFolder(), 'out');
    await new TrainingFolder(out).start(settings, {});
    symlinkSync(target, join(out, 'checkpoints'));
    await assert.rejects(overwritten(out), /checkpoints: is a link/);
    await assert.rejects(new TrainingFolder(out).check(settings, { resume: true }), /checkpoints: is a link/);
    assert.equal(readFileSync(join(target, 'step-00000001/state.json'), 'utf8'), 'mine');
    const link = join(temporaryFolder(), 'link');
    symlinkSync(await trained(), link);
    await assert.rejects(overwritten(link), /is a link, and a training is never replaced through one/);
  });

  it('an earlier training is removed', async () => {
    const out = await trained();
    await overwritten(out);
    assert.deepEqual(Object.keys(digests(out)), ['settings.json']);
  });
});
