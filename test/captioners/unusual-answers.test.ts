import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  AnswerStore,
  answerStatistics,
  captionsByImage,
  forgetAnswers,
  openExistingStore,
} from '../../src/endpoints/index.js';
import { withoutThoughts } from '../../src/endpoints/without-thoughts.js';
import { type HfChatOptions, hfBlip, hfChat } from '../../src/index.js';
import { captionAll, storedAnswers } from '../support/caption-images.js';
import { relflow, SCENES } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { imageFolder } from '../support/image-folder.js';

const CAPTION = 'a man riding a horse';
const THOUGHTS = 'The user wants a caption. I see a woman holding an umbrella.';

/** A chat completion with one choice. */
const completion = (message: object, finish = 'stop') => ({
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
  usage: { prompt_tokens: 200, completion_tokens: 12, total_tokens: 212 },
});

describe('unusual answers of chat servers', () => {
  let server: Server;
  let url: string;
  let answer: (body: Record<string, unknown>) => { status?: number; value: unknown };
  const bodies: Record<string, unknown>[] = [];

  before(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString());
        bodies.push(body);
        const { status = 200, value } = answer(body);
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(typeof value === 'string' ? value : JSON.stringify(value));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    bodies.length = 0;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Captions images with a new store. */
  async function ask(value: unknown, more: Partial<HfChatOptions> = {}, count = 1) {
    answer = () => ({ value });
    const { folder, images } = await imageFolder(count);
    const store = join(folder, 'store');
    const prices = { input: 1000, output: 10_000 };
    const result = await captionAll(images, { endpointUrl: url, images: folder, store, prices, ...more });
    const [error] = result.errors as { reason: string; message: string }[];
    return { ...result, reason: error?.reason, message: error?.message ?? '', store };
  }

  it('thoughts are cut from captions, whatever their block is called', async () => {
    const blocks = [
      `<think>\n${THOUGHTS}\n</think>\n\n`,
      `<thinking>${THOUGHTS}</thinking>`,
      `<seed:think>${THOUGHTS}</seed:think>`,
      `<|begin_of_thought|>${THOUGHTS}<|end_of_thought|>`,
      `◁think▷${THOUGHTS}◁/think▷`,
      `[THINK]${THOUGHTS}[/THINK]`,
      `<unused94>thought\n${THOUGHTS}<unused95>`,
      `<details type="reasoning" done="true">\n<summary>Thought for 2 s</summary>\n${THOUGHTS}\n</details>\n`,
      `<Chain_of_Thought>${THOUGHTS}</Chain_of_Thought>`,
      `<think>a <think>nested</think> block</think>`,
      // Not opened, since the prompt has the opening tag.
      `${THOUGHTS}\n</think>\n`,
      `<|channel|>analysis<|message|>${THOUGHTS}<|end|><|start|>assistant<|channel|>final<|message|>`,
      `analysis${THOUGHTS}assistant${'final'}`,
    ];
    for (const block of blocks) {
      assert.deepEqual(withoutThoughts(`${block}${CAPTION}`), { text: CAPTION, hasThoughts: true }, block);
      const { texts, counts, usage } = await ask(completion({ content: `${block}${CAPTION}` }));
      assert.deepEqual([texts, counts, usage['requests']], [[[CAPTION]], { 'thoughts-cut': 1 }, 1], block);
    }
    for (const wrapped of [
      `<answer>${CAPTION}</answer>`,
      `<|begin_of_box|>${CAPTION}<|end_of_box|>`,
      `<final_answer>${CAPTION}`,
    ])
      assert.equal(withoutThoughts(`<think>${THOUGHTS}</think>${wrapped}`).text, CAPTION);
    for (const plain of ['a [thinking] man', 'an analysis of <details>x</details>', 'a < b and thinking > c'])
      assert.deepEqual(withoutThoughts(plain), { text: plain, hasThoughts: false });
  });

  it('an answer with nothing but thoughts is a counted reject, takes one request, and can be forgotten', async () => {
    const unfinished = [
      completion({ content: `<think>\n${THOUGHTS} The man wears a hat, so I could` }, 'length'),
      completion({ content: `<|channel|>analysis<|message|>${THOUGHTS}` }, 'length'),
      completion({ content: null, reasoning_content: THOUGHTS }, 'length'),
      completion({ content: '', reasoning: THOUGHTS }, 'length'),
      completion({ reasoning_content: THOUGHTS }, 'length'),
      completion({ content: [{ type: 'thinking', thinking: THOUGHTS }], reasoning: THOUGHTS }, 'length'),
    ];
    for (const value of unfinished) {
      const { reason, message, counts, usage, store } = await ask(value);
      assert.deepEqual([reason, counts], ['thoughts-only', { 'thoughts-only': 1 }]);
      assert.match(message, /the model returned only its thoughts, cut off at the token limit$/);
      assert.deepEqual([usage['requests'], usage['spend']], [1, 0.32]);
      const open = await openExistingStore(store);
      assert.deepEqual(captionsByImage(open, 'test'), {});
      assert.equal(answerStatistics(open)[0]!.empty, 1);
      assert.equal(await forgetAnswers(open, { useless: true }), 1);
      await open.close();
    }
  });

  it('thoughts that earlier versions stored as captions are not used, and are forgotten as useless', async () => {
    const { store, texts } = await ask(completion({ content: CAPTION }));
    assert.deepEqual(texts, [[CAPTION]]);
    const [line] = await storedAnswers(store);
    const old = await AnswerStore.open(join(temporaryFolder(), 'old'));
    const subjects = ['1', '2'].map((digit) => digit.repeat(64));
    for (const [k, text] of [`<think>${THOUGHTS}`, `<thinking>${THOUGHTS}</thinking>${CAPTION}`].entries()) {
      const key = { question: 'q', subject: subjects[k]!, seed: 0 };
      await old.add(line!.question, key, { text, at: line!.at });
      await old.nameImage({ dataset: 'd', id: String(k), subject: subjects[k]! });
    }
    assert.deepEqual(captionsByImage(old, 'd'), { 1: [CAPTION] });
    assert.equal(await forgetAnswers(old, { useless: true }, true), 1);
    await old.close();
  });

  it('content in parts and several choices are read', async () => {
    const parts = [{ type: 'text', text: 'a man' }, { type: 'thinking', thinking: THOUGHTS }, ' riding a horse'];
    assert.deepEqual((await ask(completion({ content: parts }))).texts, [[CAPTION]]);
    const contents = [CAPTION, '', `<think>${THOUGHTS}</think>"A dog."`, 'a bench'];
    const choices = contents.map((content, index) => ({ index, message: { content }, finish_reason: 'stop' }));
    const { texts, store, usage } = await ask({ choices }, { parameters: { n: 4 } });
    assert.deepEqual(texts, [[CAPTION, 'A dog.', 'a bench']]);
    // Without the server's count of tokens, all four choices are counted at the limit.
    assert.equal(usage['outputTokens'], 240);
    const open = await openExistingStore(store);
    assert.deepEqual(Object.values(captionsByImage(open, 'test')), [[CAPTION, 'A dog.', 'a bench']]);
    await open.close();
  });

  it('an answer that cannot be read gives the message of the server, is billed, and takes three requests at most', async () => {
    const billed = { usage: { prompt_tokens: 100, completion_tokens: 10 } };
    const cases: [object, RegExp][] = [
      [
        { error: { message: 'CUDA out of memory', code: 500 } },
        /: the server answered 200 with an error: CUDA out of memory$/,
      ],
      [{ object: 'error', message: 'The model does not exist.' }, /with an error: The model does not exist\.$/],
      [{ error: 'overloaded' }, /with an error: overloaded$/],
      [{ id: 'x', choices: null }, /not a chat completion: expected choices, found \{"id":"x","choices":null/],
      [{ choices: [], detail: 'filtered' }, /expected choices, found filtered$/],
      [{ message: { content: CAPTION }, done: true }, /expected choices, found \{"content":"a man riding a horse"\}$/],
      [
        { choices: [{ message: { role: 'assistant' } }] },
        /expected message\.content as a text: \{"role":"assistant"\}$/,
      ],
    ];
    // All at once, each of a model of its own, since every retry waits for a second.
    const asked = cases.map((_, model) => ask(null, { model: String(model) }));
    answer = ({ model }) => ({ value: { ...cases[Number(model)]![0], ...billed } });
    const all = await Promise.all(asked);
    for (const [at, [value, message]] of cases.entries()) {
      const found = all[at]!;
      assert.equal(found.reason, 'no-answer', JSON.stringify(value));
      assert.match(found.message, message);
      const { requests, unreadable, failed, answered, inputTokens, spend } = found.usage;
      assert.deepEqual([requests, unreadable, failed, answered, inputTokens], [3, 3, 1, 0, 300], JSON.stringify(value));
      assert.equal(spend!.toFixed(6), '0.600000');
      assert.deepEqual(await storedAnswers(found.store), []);
    }
    // Each answer costs 0.2, and an answer of the expected size 0.936.
    const budget = await ask({ choices: [], ...billed }, { budget: 1.1, requestsAtOnce: 1 }, 3);
    assert.match(budget.message, /could exceed the budget of 1\.1, of which 0\.2 is spent/);
    assert.equal(budget.usage['requests'], 1);
  });

  it('an endpoint for image-to-text gives its own message, too', async () => {
    answer = () => ({ value: { error: 'Model tiny is overloaded' } });
    const { folder, images } = await imageFolder(1);
    const captioner = hfBlip({ endpointUrl: url, images: folder, store: join(folder, 'store'), retries: 1 });
    await assert.rejects(async () => captioner.caption(images[0]!, new AbortController().signal), {
      reason: 'no-answer',
      message: /the server's answer has no generated_text: Model tiny is overloaded$/,
    });
    assert.deepEqual([captioner.usage!()['requests'], captioner.usage!()['unreadable']], [2, 2]);
    await captioner.close!();
  });

  it('secrets in quoted answers are redacted', async () => {
    process.env['RELFLOW_TOKEN'] = 'secret-token-0123456789';
    try {
      const { message } = await ask({ error: { message: 'bad key secret-token-0123456789' } });
      assert.doesNotMatch(message, /secret-token/);
      assert.match(message, /with an error: bad key /);
    } finally {
      delete process.env['RELFLOW_TOKEN'];
    }
  });

  it('the limit of tokens can be sent under another name, or not at all', async () => {
    const { folder, images } = await imageFolder(1);
    const options = { endpointUrl: url, images: folder, store: join(folder, 'store') };
    answer = (body) =>
      'max_tokens' in body
        ? { status: 400, value: { error: { message: "Use 'max_completion_tokens' instead." } } }
        : { value: completion({ content: CAPTION }) };
    const refused = await captionAll(images, options);
    assert.match(String(refused.errors[0]), /instead\. \(--max-tokens-field max_completion_tokens\)$/);
    const field = { maxTokensField: 'max_completion_tokens', maxTokens: 30 };
    assert.deepEqual((await captionAll(images, { ...options, ...field })).texts, [[CAPTION]]);
    assert.equal(bodies.at(-1)!['max_completion_tokens'], 30);
    // The same question under another name: no second request.
    assert.equal((await captionAll(images, { ...options, maxTokens: 30 })).usage['cached'], 1);
    await captionAll(images, { ...options, maxTokensField: null });
    assert.deepEqual(
      Object.keys(bodies.at(-1)!).filter((name) => name.includes('max')),
      [],
    );
    assert.throws(() => hfChat({ ...options, maxTokensField: '' }), { message: /maxTokensField is empty/ });
    assert.throws(() => hfChat({ ...options, ...field, parameters: { max_completion_tokens: 1 } }), {
      message: "hf-chat: parameters have 'max_completion_tokens', which relflow sets itself",
    });
  });

  it('a run whose images are all unanswered exits with 1 and says why', async () => {
    const run = async (value: unknown, ...more: string[]) => {
      answer = () => ({ value });
      const folder = temporaryFolder();
      return relflow([
        ...['run', 'coco', '--annotations', join(SCENES, 'instances.json'), '--images', join(SCENES, 'images')],
        ...['--captioner', 'hf-chat', '--endpoint-url', url, '--store', join(folder, 'store')],
        ...['--out', join(folder, 'out'), '--retries', '0', ...more],
      ]);
    };
    const failed = await run({ error: { message: 'CUDA out of memory' } });
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /the server answered 200 with an error: CUDA out of memory/);
    const thoughts = await run(completion({ content: `<think>${THOUGHTS}` }, 'length'), '--max-tokens-field', 'none');
    assert.equal(thoughts.code, 1);
    assert.match(thoughts.stderr, /24 of 24 images have no caption, since the model returned only its thoughts/);
    assert.ok(bodies.every((body) => !('max_tokens' in body) || body['max_tokens'] === 60));
  });
});
