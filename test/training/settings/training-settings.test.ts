import assert from 'node:assert/strict';
import type { TrainingConfig } from '../../../src/records/training-config.js';
import { rlipSettings } from '../../../src/training/settings/rlip-settings.js';
import { taggerSettings } from '../../../src/training/settings/tagger-settings.js';
import { trainingSettings } from '../../../src/training/settings/training-settings.js';
import { tinyRlip } from '../../support/training-scenes.js';

const { data } = tinyRlip;
const tagger: TrainingConfig = { task: 'tagger', model: 'tinyTagger', data, epochs: 3, batchSize: 2 };

const messageOf = (config: unknown): string => {
  try {
    trainingSettings(config);
  } catch (error) {
    return (error as Error).message;
  }
  return 'no error';
};

describe('trainingSettings of a tagger', () => {
  const message = (changes: object) => messageOf({ ...tagger, ...changes });

  it('fills in the official values', () => {
    const settings = taggerSettings({ ...tagger, model: 'rTaggerR50' });
    assert.deepEqual(settings.noise, { label: 0.2, box: 0.4 });
    assert.deepEqual(settings.labels, { objects: 333, relations: 167 });
    assert.equal(settings.optimizer.maxGradientNorm, 0.1);
    assert.equal(settings.augmentation.maxSize, 1333);
    assert.equal(settings.model.compat.textMaskBySum, false);
    assert.equal(taggerSettings({ ...tagger, compat: true }).model.compat.textMaskBySum, true);
    assert.equal(taggerSettings({ ...tagger, modelOptions: { pairs: 30 } }).model.pairs, 30);
  });

  it('names the wrong field, and what was expected', () => {
    assert.equal(message({ batchSize: 0 }), 'training: /batchSize must be >= 1');
    assert.equal(message({ bach: 1 }), "training: the value must NOT have additional properties ('bach')");
    assert.equal(messageOf(null), 'training: the value must be object');
    assert.match(message({ model: 'yolo' }), /unknown model 'yolo', expected one of rTaggerR50, /);
    assert.equal(
      message({ model: 'tinyParsed' }),
      'training: /model tinyParsed is not a tagger, as /task tagger needs',
    );
    assert.equal(message({ losses: {} }), 'training: /losses is for the tasks rlip and finetune, but /task is tagger');
    assert.equal(
      message({ data: [{ images: 'x' }] }),
      'training: /data/0 has 0 annotations, expected exactly one of sceneGraphs, visualGenome, pseudoAnnotations, hico, vcoco, openImages, vg150, psg, gqa',
    );
    assert.match(message({ modelOptions: { width: 30 } }), /width 30, expected a multiple of 4/);
    const augmentation = {
      flip: 0,
      colorJitter: 0,
      shorterSides: [64],
      maxSize: 99,
      crop: { probability: 1, shorterSides: [64], size: [90, 20] },
    };
    assert.equal(
      message({ augmentation }),
      'training: /augmentation/crop/size [90,20], expected the smaller number first',
    );
  });
});

describe('trainingSettings of RLIPv2', () => {
  const message = (changes: object) => messageOf({ ...tinyRlip, ...changes });

  it('fills in the official values: quality labels, and pseudo-labels in pre-training', () => {
    const { losses, labels, optimizer } = rlipSettings({
      task: 'rlip',
      model: 'parsedaR50',
      data,
      epochs: 20,
      batchSize: 8,
    });
    assert.deepEqual(losses, { qualityLabels: true, pseudoLabels: true });
    assert.deepEqual([labels.objects, labels.relations, optimizer.learningRate], [333, 167, 1.41e-4]);
    const vocabulary = { objects: ['person'], relations: ['on'] };
    const finetune = rlipSettings({ ...tinyRlip, task: 'finetune', vocabulary, initialWeights: 'w' });
    assert.equal(finetune.losses.pseudoLabels, false);
  });

  it('names the wrong field, and what was expected', () => {
    assert.equal(
      message({ model: 'tinyTagger' }),
      'training: /model tinyTagger is a tagger, expected a model that finds pairs',
    );
    assert.equal(
      message({ model: 'tinyParsed', noise: { label: 0, box: 0 } }),
      'training: /noise is for taggers and ParSeDA, but /model tinyParsed is neither',
    );
    assert.equal(
      message({ paraphrases: { probability: 1, phrases: {} } }),
      'training: /paraphrases is for the task tagger, but /task is rlip',
    );
    const vocabulary = { objects: ['person', 'dog', 'person'], relations: ['on'] };
    assert.equal(message({ vocabulary }), 'training: /vocabulary is for the task finetune, but /task is rlip');
    assert.equal(
      message({ task: 'finetune' }),
      'training: /vocabulary is missing, expected all names of objects and relations',
    );
    assert.equal(
      message({ task: 'finetune', vocabulary }),
      'training: /initialWeights is missing, expected the pre-trained weights',
    );
    assert.equal(
      message({ task: 'finetune', vocabulary, initialWeights: 'w' }),
      "training: /vocabulary/objects contains 'person' twice, expected distinct names",
    );
    assert.match(message({ heldOut: [{}] }), /^training: \/heldOut\/0 /);
    assert.match(message({ fewShot: 0 }), /^training: \/fewShot must be > 0/);
    assert.match(message({ data: [{ images: 'x', pseudoAnnotations: {} }] }), /annotations/);
  });
});
