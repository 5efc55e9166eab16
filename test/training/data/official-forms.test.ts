import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openTrainingData } from '../../../src/training/data/open-training-data.js';
import { readTrainingConfig } from '../../../src/training/settings/read-training-config.js';
import { trainingSettings } from '../../../src/training/settings/training-settings.js';
import { SCENES } from '../../support/command.js';

describe('training data in official forms', () => {
  const open = async (file: string) => {
    const config = await readTrainingConfig(join(SCENES, file));
    const { data } = await openTrainingData(config, trainingSettings(config), new AbortController().signal);
    return data.summary;
  };

  it('keeps images without relations of HICO-DET, V-COCO and Open Images', async () => {
    for (const benchmark of ['hico', 'vcoco', 'open-images']) {
      const { total, rejects, leftOut, relations } = await open(`${benchmark}/finetune.json`);
      assert.deepEqual([total, rejects, leftOut], [16, {}, {}], benchmark);
      assert.ok(relations.size > 2, benchmark);
    }
  });

  it('has relations without an object of V-COCO', async () => {
    const { relations, vocabularies } = await open('vcoco/finetune.json');
    assert.ok(relations.has('walk') || relations.has('stand'));
    assert.ok(!vocabularies.objects.names.includes('missing objects'));
  });

  it('reads the training part of VG150', async () => {
    const { total, rejects, relations } = await open('vg150/pretrain.json');
    assert.deepEqual([total, rejects], [16, {}]);
    assert.ok(relations.has('riding'));
  });
});
