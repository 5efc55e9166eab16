import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useBackend } from '../../src/model/backends/use-backend.js';
import { Random } from '../../src/records/random.js';
import type { TrainingConfig } from '../../src/records/training-config.js';
import { train } from '../../src/training/train.js';
import { temporaryFolder } from '../support/folders.js';
import { trainWithKills } from '../support/train-with-kills.js';
import { tinyTagger, writeTrainingScenes } from '../support/training-scenes.js';

describe('train, killed', () => {
  const folder = temporaryFolder();

  before(() => useBackend('wasm', { threads: 1 }));

  it('resumes to the same weights from the command line after kill -9 at three random moments', async () => {
    const { lines, images } = await writeTrainingScenes(folder, 8);
    const config: TrainingConfig = {
      ...tinyTagger,
      data: [{ sceneGraphs: lines, images }],
      backend: 'wasm',
      checkpointEvery: 1,
    };
    const uninterrupted = await train(config, { out: join(folder, 'uninterrupted') });
    const [out, file] = [join(folder, 'killed'), join(folder, 'tagger.json')];
    writeFileSync(file, JSON.stringify(config));
    const random = new Random(3);
    const moments = [0, 2, 4].map((least) => ({
      step: least === 4 ? 4 : least + Math.floor(2 * random.next()),
      milliseconds: 60 * random.next(),
    }));
    console.log(`      killed ${await trainWithKills(file, out, moments)} times`);
    const resumed = await train(config, { out, resume: true });
    assert.equal(resumed.steps, 6);
    assert.deepEqual(readFileSync(resumed.weights!), readFileSync(uninterrupted.weights!));
  });
});
