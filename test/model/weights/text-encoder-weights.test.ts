import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { writeSafetensors } from '../../../src/files/write-safetensors.js';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { tiny } from '../../../src/model/presets.js';
import { RlipV2 } from '../../../src/model/rlip-v2.js';
import { initializeWeights, initialValues } from '../../../src/model/weights/initialize-weights.js';
import { openWeights } from '../../../src/model/weights/open-weights.js';
import { loadTextEncoder, openTextEncoder } from '../../../src/model/weights/text-encoder-weights.js';
import { relflow } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';
import { assertClose } from '../../support/tensors.js';

// Made by Hugging Face's transformers, see make-roberta.py there.
const fixtures = 'test/model/weights/roberta';
const { ids, pooled } = JSON.parse(readFileSync(join(fixtures, 'pooled.json'), 'utf8')) as {
  ids: number[][];
  pooled: number[][];
};
const texts = { ids: Int32Array.from(ids.flat()), texts: ids.length, tokens: ids[0]!.length };
const config = {
  ...tiny.tagger,
  text: { layers: 2, width: 8, heads: 2, hidden: 16, vocabulary: 20, positions: 10 },
};
const PREFIX = 'transformer.text_encoder.';

function modelOf(seed: number): RlipV2 {
  const model = new RlipV2(config);
  initializeWeights(model.parameters, seed);
  return model;
}

async function load(model: RlipV2, path: string): Promise<void> {
  const source = await openTextEncoder(path);
  try {
    await loadTextEncoder(model.parameters, source);
  } finally {
    await source.close();
  }
}

describe('a Hugging Face RoBERTa', () => {
  const folder = temporaryFolder();
  before(() => useBackend('wasm', { threads: 1 }));

  it('gives a model’s text encoder the outputs of transformers, with padding', async () => {
    const model = modelOf(1);
    await load(model, fixtures);
    assertClose(await tf.tidy(() => model.encodeTexts(texts)).data(), pooled.flat(), 2e-6);
    model.dispose();
  });

  it('with a head and no pooler, as published, leaves the model’s pooler unchanged', async () => {
    mkdirSync(join(folder, 'hub'));
    copyFileSync(join(fixtures, 'pytorch_model.bin'), join(folder, 'hub', 'pytorch_model.bin'));
    const [model, complete] = [modelOf(1), modelOf(2)];
    const before = await model.parameters.get(`${PREFIX}pooler.dense.weight`)!.values();
    await load(model, join(folder, 'hub'));
    await load(complete, join(fixtures, 'model.safetensors'));
    for (const [name, parameter] of model.parameters)
      if (name.startsWith(PREFIX) && !name.includes('.pooler.'))
        assert.deepEqual(await parameter.values(), await complete.parameters.get(name)!.values(), name);
    assert.deepEqual(await model.parameters.get(`${PREFIX}pooler.dense.weight`)!.values(), before);
    const [own, other] = ['transformer.level_embed', 'transformer.level_embed'].map((name, k) =>
      [model, complete][k]!.parameters.get(name)!.values(),
    );
    assert.notDeepEqual(await own, await other, 'all other parameters keep their values');
    model.dispose();
    complete.dispose();
  });

  it('of another shape is rejected key by key, and a folder without weights by name', async () => {
    const model = new RlipV2(tiny.tagger);
    await assert.rejects(load(model, fixtures), {
      code: 'bad-weights',
      message: new RegExp(
        `^${fixtures}/model.safetensors: does not fit the model's text encoder\\n {2}misshapen: ${PREFIX}embeddings\\.word_embeddings\\.weight: \\[20,8\\] in the file, \\[260,48\\] in the model`,
      ),
    });
    await assert.rejects(load(model, folder), {
      message: `${folder}: contains no weights, expected one of model.safetensors, model.safetensors.index.json, pytorch_model.bin`,
    });
  });

  it('is written into the initial weights of a training by relflow weights init', async () => {
    const { parameters } = new RlipV2(tiny.tagger);
    const encoder = [...initialValues(parameters, 7)].filter(
      ([{ name }]) => name.startsWith(PREFIX) && !name.includes('.pooler.'),
    );
    const roberta = await writeSafetensors(
      join(folder, 'roberta.safetensors'),
      encoder.map(([{ name, shape }, values]) => ({
        name: name.replace(PREFIX, 'roberta.'),
        shape,
        read: () => Promise.resolve(values),
      })),
    );
    const to = join(folder, 'start.safetensors');
    const options = ['weights', 'init', to, '--model', 'tinyTagger', '--seed', '3'];
    const { code, stderr } = await relflow([...options, '--text-encoder', roberta]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, new RegExp(`^${parameters.size} arrays written to ${to}, ${encoder.length} of them from `));
    const source = await openWeights(to);
    const read = new Map(encoder.map(([{ name }, values]) => [name, values]));
    for (const [{ name }, values] of initialValues(parameters, 3))
      assert.deepEqual(await source.read(name), read.get(name) ?? values, name);
    await source.close();
    const refused = await relflow([...options, '--overwrite', '--text-encoder', fixtures]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /does not fit the model's text encoder/);
  });
});
