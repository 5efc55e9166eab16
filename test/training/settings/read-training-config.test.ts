import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { circleConfig } from '../../../bench/circle/circle-config.js';
import { packageRoot } from '../../../src/package-info.js';
import { readTrainingConfig } from '../../../src/training/settings/read-training-config.js';
import { trainingSettings } from '../../../src/training/settings/training-settings.js';
import { temporaryFolder } from '../../support/folders.js';

describe('readTrainingConfig', () => {
  const folder = temporaryFolder();
  const fileOf = (text: string) => {
    const file = join(folder, 'config.json');
    writeFileSync(file, text);
    return file;
  };

  it('resolves relative paths against the folder of the file', async () => {
    const data = [
      { sceneGraphs: 'graphs.jsonl', images: 'images' },
      { visualGenome: { sceneGraphs: 'vg/graphs.json', imageData: '/vg/images.json' }, images: '/vg/images' },
      { pseudoAnnotations: { annotations: '*.json', filePaths: 'paths.json' }, images: '.' },
    ];
    const paths = { initialWeights: 'a.safetensors', startFrom: '../b.safetensors', tokenizer: 'roberta' };
    const config = { task: 'tagger', model: 'tinyTagger', ...paths, data, validation: data, epochs: 1, batchSize: 1 };
    const read = await readTrainingConfig(fileOf(JSON.stringify(config)));
    const resolved = [
      { sceneGraphs: join(folder, 'graphs.jsonl'), images: join(folder, 'images') },
      {
        visualGenome: { sceneGraphs: join(folder, 'vg/graphs.json'), imageData: '/vg/images.json' },
        images: '/vg/images',
      },
      {
        pseudoAnnotations: { annotations: join(folder, '*.json'), filePaths: join(folder, 'paths.json') },
        images: folder,
      },
    ];
    assert.deepEqual(read, {
      ...config,
      initialWeights: join(folder, 'a.safetensors'),
      startFrom: join(folder, '../b.safetensors'),
      tokenizer: join(folder, 'roberta'),
      data: resolved,
      validation: resolved,
    });
  });

  it('names the file and what is wrong with it', async () => {
    const missing = join(folder, 'missing.json');
    await assert.rejects(readTrainingConfig(missing), { code: 'bad-input', message: `${missing}: no such file` });
    const broken = fileOf('{');
    await assert.rejects(readTrainingConfig(broken), {
      code: 'bad-input',
      message: /config\.json: is not valid JSON: /,
    });
    const long = fileOf(' '.repeat(1 << 21));
    await assert.rejects(readTrainingConfig(long), {
      code: 'bad-input',
      message: `${long}: has 2097152 bytes, expected a configuration of at most 1048576`,
    });
    const wrong = fileOf('{ "task": "tagger", "epochs": 0 }');
    await assert.rejects(readTrainingConfig(wrong), { code: 'bad-option', message: /^.*config\.json: .*model/ });
  });
});

describe('configurations of the project', () => {
  const folder = join(packageRoot, 'pipelines/training');

  for (const name of readdirSync(folder))
    it(`pipelines/training/${name} is valid, with the official number of images a step for its learning rate`, async () => {
      const config = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      // The names of Open Images come with its files.
      const { vocabulary } = config;
      if (vocabulary?.file) config.vocabulary = { objects: ['a'], relations: ['b'] };
      const settings = trainingSettings(config);
      const images = settings.optimizer.learningRate === 1e-4 ? 32 : 64;
      assert.equal(settings.batchSize * settings.accumulationSteps, images);
    });

  it('scripts/sprite-tagger.json and the benchmark circle are valid', () => {
    const config = JSON.parse(readFileSync(join(packageRoot, 'scripts/sprite-tagger.json'), 'utf8')) as unknown;
    assert.equal(trainingSettings(config).batchSize, 8);
    const circle = circleConfig({ sceneGraphs: 'a', images: 'b', steps: 1, threads: 1, heldOut: [] });
    assert.equal(trainingSettings(circle).emaDecay, 0.998);
  });
});
