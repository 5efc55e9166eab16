import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/package-info.js';
import { readTrainingConfig } from '../../../src/training/settings/read-training-config.js';
import { rlipSettings } from '../../../src/training/settings/rlip-settings.js';
import { taggerSettings } from '../../../src/training/settings/tagger-settings.js';

describe('pipelines/training', () => {
  const folder = join(packageRoot, 'pipelines/training');

  for (const name of readdirSync(folder))
    it(`${name} is a whole configuration`, async () => {
      const config = await readTrainingConfig(join(folder, name));
      const settings = config.task === 'tagger' ? taggerSettings(config) : rlipSettings(config);
      // 64 images a step, as the official learning rates are meant for.
      assert.equal(settings.batchSize * settings.accumulationSteps, 64);
      if (settings.task === 'finetune')
        assert.deepEqual([settings.vocabulary?.objects.length, settings.vocabulary?.relations.length], [80, 117]);
    });
});
