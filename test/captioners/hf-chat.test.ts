import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { questionKey } from '../../src/endpoints/index.js';
import { EndpointError, type HfChatOptions, hfChat, type Image } from '../../src/index.js';
import { captionAll, checkRetries, storedAnswers } from '../support/caption-images.js';
import { temporaryFolder } from '../support/folders.js';
import { imageFolder } from '../support/image-folder.js';
import { type Fault, ModelServer, type ModelServerOptions } from '../support/model-server.js';

const { signal } = new AbortController();
const servers: ModelServer[] = [];

async function serve(options: ModelServerOptions = {}): Promise<ModelServer> {
  const server = await ModelServer.start(options);
  servers.push(server);
  return server;
}

describe('hfChat', () => {
  const environment = { ...process.env };

  before(() => {
    delete process.env['HF_TOKEN'];
    delete process.env['RELFLOW_TOKEN'];
  });
  after(() => {
    Object.assign(process.env, environment);
  });
  afterEach(async () => {
    delete process.env['HF_TOKEN'];
    for (const server of servers.splice(0)) await server.close();
  });

  it('captions 60 images, a fifth of which fail at first, each exactly once and within the rate', () =>
    checkRetries(60, ['unavailable', 'cut', 'invalid-json'], 60));

  it('sends one request per caption: at temperature 0 for one, by nucleus sampling with different seeds for more', async () => {
    const server = await serve();
    const { folder, images } = await imageFolder(1);
    const common = { endpointUrl: server.url, images: folder, store: join(folder, 'store') };
    await captionAll(images, { ...common, model: 'tiny/vlm', prompt: 'Say what you see.', maxTokens: 20 });
    await captionAll(images, { ...common, nCaptions: 3, firstSeed: 7, parameters: { min_p: 0.1 } });
    const [one, ...three] = server.seen.map(({ body }) => body);
    assert.equal(server.seen[0]!.path, '/v1/chat/completions');
    const { messages, ...rest } = one!;
    assert.deepEqual(rest, { model: 'tiny/vlm', max_tokens: 20, temperature: 0 });
    const [{ content }] = messages as [{ content: [{ image_url: { url: string } }, { text: string }] }];
    assert.match(content[0].image_url.url, /^data:image\/jpeg;base64,/);
    assert.equal(content[1].text, 'Say what you see.');
    assert.deepEqual(
      three.map(({ seed, temperature, top_p, min_p, model }) => ({ seed, temperature, top_p, min_p, model })),
      [7, 8, 9].map((seed) => ({ seed, temperature: 1, top_p: 0.9, min_p: 0.1, model: 'default' })),
    );
  });

  it('requests only missing captions', async () => {
    const server = await serve();
    const { folder, images } = await imageFolder(10);
    const options = { endpointUrl: server.url, images: folder, store: join(folder, 'store') };
    const five = await captionAll(images, { ...options, nCaptions: 5 });
    assert.equal(server.seen.length, 50);
    const repeated = await captionAll(images, { ...options, nCaptions: 5 });
    assert.equal(server.seen.length, 50, 'repeating the same costs nothing');
    assert.deepEqual(repeated.texts, five.texts);
    assert.deepEqual([repeated.usage['requests'], repeated.usage['cached']], [0, 50]);
    const ten = await captionAll(images, { ...options, nCaptions: 10 });
    assert.equal(server.seen.length, 100, 'ten captions request the missing five');
    assert.deepEqual(
      ten.texts.map((texts) => texts!.slice(0, 5)),
      five.texts,
    );
    await captionAll(images, { ...options, nCaptions: 10, prompt: 'Another.' });
    assert.equal(server.seen.length, 200, 'another prompt is another question');
    await captionAll(images, { ...options, nCaptions: 10, requestsAtOnce: 3, retries: 1, prices: { request: 1 } });
    assert.equal(server.seen.length, 200, 'rates and prices are not part of the question');
  });

  it('requests one answer for images with the same file, even concurrently', async () => {
    const server = await serve({ latencyMs: 20 });
    const { folder, images } = await imageFolder(1);
    const [image] = images as [Image];
    const copies = Array.from({ length: 5 }, (_, id) => ({ ...image, id }));
    const { texts } = await captionAll(copies, {
      endpointUrl: server.url,
      images: folder,
      store: join(folder, 'store'),
    });
    assert.equal(new Set(texts.flat()).size, 1);
    assert.equal(server.seen.length, 1);
  });

  it('holds back all requests for as long as a 429 asks', async () => {
    const server = await serve({ fault: ({ attempt }) => (attempt === 1 ? 'rate-limit' : null), retryAfter: 1 });
    const { folder, images } = await imageFolder(2);
    const options = { endpointUrl: server.url, images: folder, store: join(folder, 'store'), requestsAtOnce: 1 };
    const { texts } = await captionAll(images, { ...options, retries: 0 });
    assert.ok(
      texts.every((captions) => captions?.length === 1),
      'a Retry-After does not count as a failure',
    );
    const times = server.seen.map(({ at }) => at);
    for (const [index, { fault }] of server.seen.entries()) {
      if (fault === 'rate-limit')
        assert.ok(times[index + 1]! - times[index]! >= 1000, `${times[index + 1]! - times[index]!} ms`);
    }
  });

  it('says that no token was sent, or what a server needs that does not accept the temperature', async () => {
    const { folder, images } = await imageFolder(1);
    const messageOf = async (options: Partial<HfChatOptions>) => {
      const { errors } = await captionAll(images, { images: folder, store: join(folder, 'store'), ...options });
      return String(errors[0]);
    };
    const closed = await serve({ token: 'hf_right' });
    assert.match(
      await messageOf({ endpointUrl: closed.url }),
      /answered 401.*; no access token was sent; check the token \(--token-file, or the variable RELFLOW_TOKEN or HF_TOKEN\)/,
    );
    assert.match(await messageOf({ model: 'tiny/vlm' }), /no access token for the providers of Hugging Face; give one/);
    const error = "Unsupported value: 'temperature' does not support 0 with this model.";
    const strict = await serve({ chat: async () => ({ status: 400, error }) });
    assert.match(
      await messageOf({ endpointUrl: strict.url }),
      /with this model\. \(--parameters '\{"temperature": 1\}'\)/,
    );
  });

  it('reads an answer with a byte order mark', async () => {
    const reply = { choices: [{ message: { content: 'a dog' }, finish_reason: 'stop' }] };
    const server = createServer((_, response) => response.end(`\ufeff${JSON.stringify(reply)}`));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { folder, images } = await imageFolder(1);
    const endpointUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { texts } = await captionAll(images, {
      endpointUrl,
      images: folder,
      store: join(folder, 'store'),
      retries: 0,
    });
    server.close();
    assert.deepEqual(texts, [['a dog']]);
  });

  it('stops with the reason and without the token if credit, permission or the model is missing', async () => {
    const token = 'hf_aVerySecretToken0123';
    process.env['HF_TOKEN'] = token;
    const { folder, images } = await imageFolder(40);
    const cases: [Fault, string, RegExp][] = [
      ['no-credit', 'credit-spent', /^hf-chat: the server answered 402: You have exceeded your monthly credits/],
      ['no-quota', 'credit-spent', /^hf-chat: the server answered 429: You exceeded your current quota/],
      ['unauthorized', 'credentials-refused', /^hf-chat: the server answered 401: .*; check the token/],
      [
        'not-found',
        'no-such-model',
        /^hf-chat: the server answered 404: no such model .*; check the endpoint and the model/,
      ],
    ];
    for (const [fault, reason, message] of cases) {
      const server = await serve({ latencyMs: 10, fault: () => (server.seen.length >= 20 ? fault : null) });
      const store = join(folder, fault);
      const options = { endpointUrl: server.url, images: folder, store, requestsAtOnce: 4 };
      const { errors, texts } = await captionAll(images, options);
      assert.equal(server.seen[0]!.headers['authorization'], `Bearer ${token}`);
      assert.ok(server.seen.length <= 24, `${server.seen.length} requests: those in flight, and none after them`);
      assert.equal((await storedAnswers(store)).length, server.answers.size, 'every answer is stored');
      assert.ok(texts.filter((captions) => captions !== null).length <= server.answers.size);
      for (const error of errors) {
        assert.ok(error instanceof EndpointError, `${error}`);
        assert.equal(error.fields['reason'], reason);
        assert.match(error.message, message);
        assert.doesNotMatch(`${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause}`, /aVerySecret/);
      }
    }
  });

  it('stores and counts refusals and empty answers, and rejects images without any caption', async () => {
    const write = ({ seed }: { seed: number }) =>
      ['a dog', '', "I'm sorry, I can't help with that.", '<think>hm</think> "A cat\n on a  mat."'][seed]!;
    const server = await serve({ write });
    const { folder, images } = await imageFolder(1);
    const options = { endpointUrl: server.url, images: folder, store: join(folder, 'store') };
    const four = await captionAll(images, { ...options, nCaptions: 4 });
    assert.deepEqual(four.texts, [['a dog', 'A cat on a mat.']]);
    assert.deepEqual(four.counts, { 'empty-caption': 1, 'refused-caption': 1, 'thoughts-cut': 1 });
    const both = await captionAll(images, { ...options, nCaptions: 2, firstSeed: 1 });
    assert.equal((both.errors[0] as { reason: string }).reason, 'caption-empty');
    assert.equal(server.seen.length, 4, 'refusals and empty answers are paid for and reused');
    const refusing = await serve({ fault: () => 'refusal' });
    const none = await captionAll(images, { ...options, endpointUrl: refusing.url });
    assert.equal((none.errors[0] as { reason: string }).reason, 'caption-refused');
    assert.equal(none.usage['refused'], 1);
    const cut = await serve({ fault: () => 'length' });
    assert.deepEqual((await captionAll(images, { ...options, endpointUrl: cut.url })).counts, { 'cut-caption': 1 });
  });

  it('rejects an image with a missing answer, stores its other answers, and requests only the missing one next time', async () => {
    let broken = true;
    const server = await serve({ fault: ({ body }) => (broken && body['seed'] === 1 ? 'bad-request' : null) });
    const { folder, images } = await imageFolder(2);
    const options = { endpointUrl: server.url, images: folder, store: join(folder, 'store'), nCaptions: 3 };
    const { errors, usage } = await captionAll(images, options);
    assert.equal(errors.length, 2);
    const { reason, message } = errors[0] as { reason: string; message: string };
    assert.equal(reason, 'no-answer');
    assert.match(
      message,
      /1 of 3 captions are missing: the server answered 422: the image cannot be read for anonymous/,
    );
    assert.equal(usage['failed'], 2);
    broken = false;
    const before = server.seen.length;
    assert.deepEqual((await captionAll(images, options)).errors, []);
    assert.equal(server.seen.length - before, 2);
  });

  it('stays within a budget, counting requests in flight, and within a total time', async () => {
    const server = await serve({ latencyMs: 5 });
    const { folder, images } = await imageFolder(60);
    const options = { endpointUrl: server.url, images: folder, store: join(folder, 'store') };
    // 300 tokens in and 12 out cost 0.000324.
    const prices = { input: 1, output: 2 };
    const { errors, usage } = await captionAll(images, { ...options, prices, budget: 0.01 });
    assert.ok(usage['spend']! <= 0.01 && usage['spend']! > 0.009, `${usage['spend']}`);
    assert.ok(errors.every((error) => error instanceof EndpointError && error.fields['reason'] === 'budget-spent'));
    assert.equal((await storedAnswers(options.store)).length, server.answers.size);
    assert.equal(usage['answered'], server.answers.size);
    const tight = await serve({ latencyMs: 5 });
    const few = { ...options, endpointUrl: tight.url, prices: { request: 1 }, requestsAtOnce: 8 };
    assert.equal((await captionAll(images, { ...few, budget: 3.5 })).usage['spend'], 3);
    assert.equal(tight.seen.length, 3, 'not eight at once, each of which fits the budget alone');
    const slow = await serve({ latencyMs: 100 });
    const timed = await captionAll(images, { ...options, endpointUrl: slow.url, totalSeconds: 0.5, requestsAtOnce: 2 });
    assert.ok(timed.errors.every((error) => error instanceof EndpointError && error.fields['reason'] === 'time-spent'));
    assert.ok(slow.seen.length < 30);
  });

  it('stays within the tokens per minute', async () => {
    const server = await serve();
    const { folder, images } = await imageFolder(5);
    const options = { endpointUrl: server.url, images: folder, store: join(folder, 'store'), requestsAtOnce: 1 };
    const captioner = hfChat({ ...options, tokensPerMinute: 1000 });
    const done = images.map((image) => Promise.resolve(captioner.caption(image, signal)).catch(() => null));
    while (server.seen.length < 2) await sleep(10);
    await sleep(500);
    assert.ok(server.seen.length <= 3, `${server.seen.length} requests of 312 tokens`);
    await captioner.close!();
    await Promise.all(done);
  });

  it('resizes large images, sends small ones unchanged, and rejects files that are not images', async () => {
    const sizes: { width: number; height: number; bytes: number }[] = [];
    const server = await serve({
      write: ({ subject }) => {
        // The sizes are read with sharp after the requests.
        pictures.push(subject);
        return 'a picture';
      },
    });
    const pictures: Buffer[] = [];
    const folder = temporaryFolder();
    const make = (width: number, height: number) =>
      sharp({ create: { width, height, channels: 3, background: '#336699' } });
    await make(1000, 500).jpeg().toFile(join(folder, 'wide.jpg'));
    await make(300, 200).png().toFile(join(folder, 'small.png'));
    await make(300, 200).withMetadata({ orientation: 6 }).jpeg().toFile(join(folder, 'turned.jpg'));
    writeFileSync(join(folder, 'broken.jpg'), 'no image');
    const names = ['wide.jpg', 'small.png', 'turned.jpg', 'broken.jpg', 'none.jpg', '../x.jpg'];
    const images = names.map((file, id): Image => ({ id, file, width: 9, height: 9, dataset: 'd', split: '' }));
    const { errors } = await captionAll(images, {
      endpointUrl: server.url,
      images: folder,
      store: join(folder, 'store'),
      side: 400,
      requestsAtOnce: 1,
    });
    for (const bytes of pictures) {
      const { width, height } = await sharp(bytes).metadata();
      sizes.push({ width, height, bytes: bytes.length });
    }
    const shapes = sizes.map(({ width, height }) => `${width}x${height}`).sort();
    assert.deepEqual(shapes, ['200x300', '300x200', '400x200']);
    assert.deepEqual(
      errors.map((error) => (error as { reason: string }).reason),
      ['malformed-image-file', 'image-missing', 'unsafe-path'],
    );
  });

  it('prefers a token file to HF_TOKEN, and reports a missing file', async () => {
    const server = await serve({ token: 'from-a-file' });
    const { folder, images } = await imageFolder(1);
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'from-a-file\n');
    process.env['HF_TOKEN'] = 'hf_ofTheEnvironment';
    const options = { endpointUrl: server.url, images: folder, store: join(folder, 'store') };
    assert.deepEqual((await captionAll(images, { ...options, tokenFile })).errors, []);
    const missing = await captionAll(images, { ...options, prompt: 'Another.', tokenFile: join(folder, 'none') });
    assert.match(String(missing.errors[0]), /none: the token cannot be read: ENOENT/);
  });

  it('throws an OptionError for missing, invalid and incompatible options', () => {
    const given = { images: 'images', endpointUrl: 'http://127.0.0.1:1' };
    const cases: [Partial<HfChatOptions>, string][] = [
      [
        { endpointUrl: 'localhost:80' },
        "hf-chat: endpointUrl 'localhost:80', expected a URL that starts with http:// or https://",
      ],
      [
        { endpointUrl: 'http://me:secret@host/v1?key=secret' },
        "hf-chat: endpointUrl 'http://host/v1' has a password, a query or a fragment, which logs would show; put the token into RELFLOW_TOKEN, HF_TOKEN or a file",
      ],
      [{ provider: 'together' }, 'hf-chat: expected provider or endpointUrl, not both'],
      [{ nCaptions: 0 }, 'hf-chat: nCaptions 0, expected a whole number of at least 1'],
      [{ firstSeed: -1 }, 'hf-chat: firstSeed -1, expected a whole number of at least 0'],
      [{ prompt: ' ' }, 'hf-chat: prompt is empty, expected an instruction for the model'],
      [{ quality: 101 }, 'hf-chat: quality 101, expected a whole number from 1 to 100'],
      [{ parameters: { seed: 1 } }, "hf-chat: parameters have 'seed', which relflow sets itself"],
      [{ requestSeconds: 0 }, 'hf-chat: requestSeconds 0, expected a number from 1 to 300'],
      [{ requestsPerMinute: 0.5 }, 'hf-chat: requestsPerMinute 0.5, expected a whole number of at least 1'],
      [{ budget: 1 }, 'hf-chat: budget 1 without prices, expected a price of input, output or request'],
      [{ prices: { input: -1 } }, 'hf-chat: price of input -1, expected a number of at least 0'],
      [{ images: '' }, "hf-chat: 'images' is missing, expected the image folder"],
    ];
    for (const [options, message] of cases) {
      assert.throws(() => hfChat({ ...given, ...options }), { message }, message);
    }
    assert.throws(() => hfChat({ images: 'x' }), {
      message: "hf-chat: 'model' is missing, expected the name of a model or an endpointUrl",
    });
  });

  it('treats questions as equal whatever the order of their parameters', () => {
    const question = { protocol: 'p', model: 'm', prompt: '', parameters: { a: 1, b: 2 } };
    assert.equal(questionKey(question), questionKey({ ...question, parameters: { b: 2, a: 1 } }));
    assert.notEqual(questionKey(question), questionKey({ ...question, model: 'n' }));
  });
});
