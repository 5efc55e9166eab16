import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TransformersJs } from '../../src/captioners/transformers-js.js';
import { EndpointError, transformersJs } from '../../src/index.js';
import { imageFolder } from '../support/image-folder.js';

const { signal } = new AbortController();

/** A fake of the library without weights, which records its calls. */
function library(answer: unknown) {
  const calls: unknown[] = [];
  const env = { allowRemoteModels: true } as TransformersJs['env'];
  let disposed = 0;
  const load = async (): Promise<TransformersJs> => ({
    env,
    RawImage: { fromBlob: async (blob) => ({ bytes: blob.size }) },
    pipeline: async (task, model, options) => {
      calls.push({ task, model, options });
      const describe = async (image: unknown, generation: unknown) => {
        calls.push({ image, generation });
        return answer;
      };
      const dispose = async () => {
        disposed++;
      };
      return Object.assign(describe, { dispose });
    },
  });
  return { load, calls, env, disposed: () => disposed };
}

describe('transformersJs', () => {
  it('loads the model once from the given folder, and stores its captions', async () => {
    const { folder, images } = await imageFolder(3);
    const { load, calls, env, disposed } = library([{ generated_text: ' a cat ' }]);
    const options = { model: 'tiny', models: '/models', dtype: 'q8', images: folder, store: join(folder, 'store') };
    for (let time = 0; time < 2; time++) {
      const captioner = transformersJs({ ...options, library: load });
      const captions = await Promise.all(images.map((image) => captioner.caption(image, signal)));
      assert.deepEqual(captions, Array(3).fill([{ text: 'a cat', source: 'tiny' }]));
      await captioner.close!();
    }
    assert.deepEqual(env, { allowRemoteModels: false, localModelPath: '/models' });
    assert.deepEqual(calls[0], { task: 'image-to-text', model: 'tiny', options: { device: 'cpu', dtype: 'q8' } });
    assert.equal(calls.length, 4, 'the second time all captions come from the store');
    assert.deepEqual((calls[1] as { generation: unknown }).generation, { max_new_tokens: 20, do_sample: false });
    assert.equal(disposed(), 1);
  });

  it('samples several captions', async () => {
    const { folder, images } = await imageFolder(1);
    const { load, calls } = library({ generated_text: 'a cat' });
    const captioner = transformersJs({
      model: 'tiny',
      images: folder,
      store: join(folder, 's'),
      nCaptions: 2,
      library: load,
    });
    assert.equal((await captioner.caption(images[0]!, signal)).length, 2);
    await captioner.close!();
    assert.deepEqual((calls[1] as { generation: unknown }).generation, {
      max_new_tokens: 20,
      do_sample: true,
      top_p: 0.9,
    });
  });

  it('reports a missing package and a model of another task', async () => {
    const { folder, images } = await imageFolder(1);
    const common = { model: 'tiny', images: folder, store: join(folder, 'store') };
    const cases: [Parameters<typeof transformersJs>[0], RegExp][] = [
      [
        common,
        /^transformers-js: model 'tiny' cannot be loaded: the package @huggingface\/transformers is not installed: npm install/,
      ],
      [
        { ...common, library: library([{ text: 'x' }]).load },
        /^transformers-js: model 'tiny' returned no generated_text, expected a model for image-to-text/,
      ],
    ];
    for (const [options, message] of cases) {
      const captioner = transformersJs(options);
      await assert.rejects(
        async () => captioner.caption(images[0]!, signal),
        (error) => error instanceof EndpointError && message.test(error.message),
      );
      await captioner.close!();
    }
  });
});
