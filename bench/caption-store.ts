// Captions a second through the whole policy and store, against a local server that answers at once, beside the bare
// client with the same requests, and the same requests without client, policy, store and images, which is as fast as this
// server and these connections are; and lookups a second of the store. `npm run bench -- captions`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceClient } from '@huggingface/inference';
import { AnswerStore } from '../src/endpoints/index.js';
import { sendRequest } from '../src/endpoints/send-request.js';
import { hfChat } from '../src/index.js';
import { imageFolder } from '../test/support/image-folder.js';

const LIMIT = 1000;
const IMAGES = 600;
const CAPTIONS = 5;
const AT_ONCE = 32;
const ROUNDS = 3;
/** About as large as those of the folder. */
const IMAGE = `data:image/jpeg;base64,${Buffer.alloc(700).toString('base64')}`;

const { folder, images } = await imageFolder(IMAGES);
const server = fork(fileURLToPath(new URL('./instant-server.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
const [url] = (await once(server, 'message')) as [string];
const { signal } = new AbortController();

let whole = 0;
let cached = 0;
let bare = 0;
let requests = 0;
let lookups = 0;
let milliseconds = Number.POSITIVE_INFINITY;
for (let round = 0; round < ROUNDS; round++) {
  const store = join(folder, `store-${round}`);
  const captioner = hfChat({ endpointUrl: url, images: folder, nCaptions: CAPTIONS, store, requestsAtOnce: AT_ONCE });
  const all = () => inWindow(images, captioner.imagesAtOnce!, (image) => captioner.caption(image, signal));
  const before = process.cpuUsage();
  whole = Math.max(whole, await perSecond(IMAGES * CAPTIONS, all));
  const { user, system } = process.cpuUsage(before);
  milliseconds = Math.min(milliseconds, (user + system) / 1000 / (IMAGES * CAPTIONS));
  if (captioner.usage!()['requests'] !== IMAGES * CAPTIONS) throw new Error('a caption was asked for twice');
  cached = Math.max(cached, await perSecond(IMAGES * CAPTIONS, all));
  await captioner.close!();
  lookups = Math.max(lookups, await findAll(store));
  rmSync(store, { recursive: true });
  bare = Math.max(bare, await perSecond(IMAGES * CAPTIONS, bareClient));
  requests = Math.max(requests, await perSecond(IMAGES * CAPTIONS, bareRequests));
}
server.kill();
console.log(`${IMAGES} images of ${CAPTIONS} captions, ${AT_ONCE} requests at once, the best of ${ROUNDS}`);
print('whole way', `${whole.toFixed(0)} captions/s`, whole / LIMIT, `of ${LIMIT}`);
console.log(`${''.padEnd(16)}${milliseconds.toFixed(2)} ms of CPU a caption, all threads`);
print('client alone', `${bare.toFixed(0)} captions/s`, whole / bare, 'whole way against it');
print('requests alone', `${requests.toFixed(0)} requests/s`, whole / requests, 'whole way against them');
print('cached', `${cached.toFixed(0)} captions/s`, cached / whole, 'against the whole way; images read and hashed');
print('store', `${lookups.toFixed(0)} lookups/s`, lookups / whole, 'against the whole way');
if (whole < LIMIT) process.exitCode = 1;

/** Lookups a second of every answer in a store, in no order that helps. */
async function findAll(folder: string): Promise<number> {
  const opened = await AnswerStore.open(folder);
  const [question] = [...opened.questions().keys()];
  const keys = [...opened.answers(question!)].map(({ key }) => key).sort((a, b) => a.seed - b.seed);
  const rate = await perSecond(keys.length * 10, async () => {
    for (let time = 0; time < 10; time++) for (const key of keys) if (!opened.find(key)) throw new Error('it is lost');
  });
  await opened.close();
  return rate;
}

/** What goes out with a seed. */
function asked(seed: number) {
  return {
    model: 'default',
    seed,
    max_tokens: 60,
    messages: [
      {
        role: 'user' as const,
        content: [
          { type: 'image_url' as const, image_url: { url: IMAGE } },
          { type: 'text' as const, text: 'Describe.' },
        ],
      },
    ],
  };
}

/** The same requests by the client, and Node's `fetch`, as they are. */
async function bareClient(): Promise<void> {
  const client = new InferenceClient();
  await inWindow(seeds(), AT_ONCE, (seed) => client.chatCompletion({ endpointUrl: url, ...asked(seed) }));
}

/** The same requests, and nothing else. */
async function bareRequests(): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await inWindow(seeds(), AT_ONCE, async (seed) => {
    const body = JSON.stringify(asked(seed));
    JSON.parse((await sendRequest(`${url}/v1/chat/completions`, { method: 'POST', headers, body })).text);
  });
}

function seeds(): number[] {
  return Array.from({ length: IMAGES * CAPTIONS }, (_, seed) => seed);
}

async function inWindow<T>(items: readonly T[], width: number, work: (item: T) => unknown): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

async function perSecond(count: number, run: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await run();
  return (1000 * count) / (performance.now() - begun);
}

function print(name: string, figure: string, ratio: number, what: string): void {
  console.log(`${name.padEnd(16)}${figure.padEnd(28)}ratio ${ratio.toFixed(2)} ${what}`);
}
