import assert from 'node:assert/strict';
import { parsedaSwinT, presets, rTaggerR50, spriteTagger } from '../../../src/model/presets.js';
import { modelMetadata, storedModel } from '../../../src/model/weights/stored-model.js';

const problem = (metadata: Record<string, string>): string => {
  try {
    storedModel('a.safetensors', metadata);
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'bad-input');
    return (error as Error).message;
  }
  return '';
};
const changed = (changes: object) => problem({ config: JSON.stringify({ ...spriteTagger, ...changes }) });

describe('storedModel', () => {
  it('reads back the metadata of every preset', () => {
    for (const config of Object.values(presets))
      assert.deepEqual(storedModel('a', modelMetadata({ config })).config, config, config.name);
    const model = {
      config: spriteTagger,
      view: { shorter: 128, longest: 160 },
      labels: { objects: ['dog'], relations: ['near', 'on'] },
    };
    assert.deepEqual(storedModel('a', modelMetadata(model)), model);
    assert.deepEqual(storedModel('a', {}), {});
  });

  it('reads presets by name, and older configurations that lack some fields', () => {
    assert.deepEqual(storedModel('a', { model: 'parsedaSwinT' }).config, parsedaSwinT);
    const { boxContent: _, textDropout: __, compat: ___, ...older } = rTaggerR50;
    const config = JSON.stringify({ ...older, compat: { fusionIgnoresMasks: true } });
    const read = storedModel('a', { config }).config!;
    assert.deepEqual([read.boxContent, read.textDropout], [false, true]);
    assert.deepEqual([read.compat.fusionIgnoresMasks, read.compat.textMaskBySum], [true, false]);
  });

  it('rejects unknown fields and values out of range', () => {
    assert.match(
      problem({ model: 'yolo' }),
      /^a\.safetensors: its header describes an unknown model: model: unknown model 'yolo'/,
    );
    assert.equal(problem({ config: '{' }), 'a.safetensors: its header has a field config that is not valid JSON');
    assert.match(changed({ width: 1e9 }), /\/config\/width must be <= 4096/);
    assert.match(changed({ encoderLayers: 1e6 }), /\/config\/encoderLayers must be <= 48/);
    assert.match(changed({ width: 65 }), /width 65, expected a multiple of 4 and of heads 4/);
    assert.match(changed({ further: 1 }), /must NOT have additional properties \('further'\)/);
    assert.match(changed({ backbone: { kind: 'vgg' } }), /\/config\/backbone/);
    assert.match(changed({ compat: { surprise: true } }), /unknown compat 'surprise', expected fusionIgnoresMasks, /);
    assert.match(problem({ view: '{"shorter":1e99,"longest":100}' }), /\/view\/shorter must be/);
    assert.match(problem({ labels: '{"objects":["a","a"],"relations":[]}' }), /must NOT have duplicate items/);
    assert.match(
      problem({ labels: ' '.repeat(5_000_000) }),
      /has a field labels of 5000000 characters, expected at most 4194304/,
    );
  });
});
