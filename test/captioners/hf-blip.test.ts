import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type HfBlipOptions, hfBlip } from '../../src/index.js';
import { imageFolder } from '../support/image-folder.js';
import { ModelServer } from '../support/model-server.js';

const { signal } = new AbortController();

describe('hfBlip', () => {
  const servers: ModelServer[] = [];

  async function serve(options: Parameters<typeof ModelServer.start>[0] = {}): Promise<ModelServer> {
    const server = await ModelServer.start(options);
    servers.push(server);
    return server;
  }
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  it('sends the generation parameters of the paper, and accepts answers with and without a list', async () => {
    const { folder, images } = await imageFolder(2);
    for (const reply of ['list', 'alone'] as const) {
      const server = await serve({ reply, write: () => ' a dog on grass ' });
      const options: HfBlipOptions = { endpointUrl: server.url, images: folder, store: join(folder, reply) };
      const one = hfBlip(options);
      assert.deepEqual(await one.caption(images[0]!, signal), [
        { text: 'a dog on grass', source: 'Salesforce/blip-image-captioning-large' },
      ]);
      await one.close!();
      const many = hfBlip({ ...options, nCaptions: 3, parameters: { top_k: 50 } });
      assert.equal((await many.caption(images[0]!, signal)).length, 3);
      await many.close!();
      const [beams, ...sampled] = server.seen.map(({ body }) => body as { inputs: string; parameters: unknown });
      assert.deepEqual([...Buffer.from(beams!.inputs, 'base64').subarray(0, 2)], [0xff, 0xd8], 'a JPEG');
      assert.deepEqual(beams!.parameters, {
        generate_kwargs: { max_length: 20, min_length: 5, num_beams: 3, do_sample: false },
      });
      const nucleus = { max_length: 20, min_length: 5, num_beams: 1, do_sample: true, top_p: 0.9 };
      assert.deepEqual(
        sampled.map(({ parameters }) => parameters),
        Array(3).fill({ generate_kwargs: { ...nucleus, repetition_penalty: 1.1, top_k: 50 } }),
      );
    }
  });

  it('retries after failures, and gets exactly one answer per image', async () => {
    const faults = ['rate-limit', 'error', 'cut', 'invalid-json', 'wrong-shape'] as const;
    const { folder, images } = await imageFolder(10);
    const server = await serve({
      fault: ({ attempt, key }) => (attempt === 1 ? faults[Number.parseInt(key[0]!, 16) % 5]! : null),
    });
    const captioner = hfBlip({ endpointUrl: server.url, images: folder, store: join(folder, 'store') });
    const captions = await Promise.all(images.map((image) => captioner.caption(image, signal)));
    const { answered, retried, unreadable, unmetered } = captioner.usage!();
    await captioner.close!();
    assert.ok(captions.every((list) => list.length === 1));
    assert.deepEqual([answered, retried, unmetered], [10, 10, 10 + unreadable!]);
    assert.ok(unreadable! > 0, 'answers that cannot be read count, since they may be billed');
    assert.ok([...server.answers.values()].every((count) => count === 1));
  });

  it('throws an OptionError if the endpoint is missing', () => {
    assert.throws(() => hfBlip({ images: 'x' } as HfBlipOptions), {
      message: "hf-blip: 'endpointUrl' is missing, expected the URL of a BLIP endpoint",
    });
  });
});
