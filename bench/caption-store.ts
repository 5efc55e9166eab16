// Measures captions per second with the request policy and the answer store, against a local server that answers
// immediately. For comparison it measures the same requests with the client alone, and without client, policy, store
// and images, which is the limit of this server and its connections; and the lookups per second of the store. Run it
// with `npm run bench -- caption-store`.
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
const CONCURRENCY = 32;
const ROUNDS = 3;
/** An image of about the size of those in the folder. */
const IMAGE = `data:image/jpeg;base64,${Buffer.alloc(700).toString('base64')}`;

const { folder, images } = await imageFolder(IMAGES);
const server = fork(fileURLToPath(new URL('./instant-server.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
const [url] = (await once(server, 'message')) as [string];
const { signal } = new AbortController();

let complete = 0;
let cached = 0;
let bare = 0;
let requests = 0;
let lookups = 0;
let milliseconds = Number.POSITIVE_INFINITY;
for (let round = 0; round < ROUNDS; round++) {
  const store = join(folder, `store-${round}`);
  const captioner = hfChat({
    endpointUrl: url,
    images: folder,
    nCaptions: CAPTIONS,
    store,
    requestsAtOnce: CONCURRENCY,
  });
  const all = () => withConcurrency(images, captioner.imagesAtOnce!, (image) => captioner.caption(image, signal));
  const before = process.cpuUsage();
  complete = Math.max(complete, await perSecond(IMAGES * CAPTIONS, all));
  const { user, system } = process.cpuUsage(before);
  milliseconds = Math.min(milliseconds, (user + system) / 1000 / (IMAGES * CAPTIONS));
  if (captioner.usage!()['requests'] !== IMAGES * CAPTIONS) throw new Error('a caption was requested twice');
  cached = Math.max(cached, await perSecond(IMAGES * CAPTIONS, all));
  await captioner.close!();
  lookups = Math.max(lookups, await findAll(store));
  rmSync(store, { recursive: true });
  bare = Math.max(bare, await perSecond(IMAGES * CAPTIONS, bareClient));
  requests = Math.max(requests, await perSecond(IMAGES * CAPTIONS, bareRequests));
}
server.kill();
console.log(`${IMAGES} images of ${CAPTIONS} captions, ${CONCURRENCY} requests in flight, the best of ${ROUNDS}`);
print('policy and store', `${complete.toFixed(0)} captions/s`, complete / LIMIT, `of the limit ${LIMIT}`);
console.log(`${''.padEnd(18)}${milliseconds.toFixed(2)} ms of CPU per caption, all threads`);
print('client alone', `${bare.toFixed(0)} captions/s`, complete / bare, 'policy and store / client alone');
print('requests alone', `${requests.toFixed(0)} requests/s`, complete / requests, 'policy and store / requests alone');
print(
  'cached',
  `${cached.toFixed(0)} captions/s`,
  cached / complete,
  'cached / policy and store; images are read and hashed',
);
print('store', `${lookups.toFixed(0)} lookups/s`, lookups / complete, 'lookups / policy and store');
if (complete < LIMIT) process.exitCode = 1;

/** Returns the lookups per second of all answers in a store, in an order that differs from that of the keys. */
async function findAll(folder: string): Promise<number> {
  const opened = await AnswerStore.open(folder);
  const [question] = [...opened.questions().keys()];
  const keys = [...opened.answers(question!)].map(({ key }) => key).sort((a, b) => a.seed - b.seed);
  const rate = await perSecond(keys.length * 10, async () => {
    for (let time = 0; time < 10; time++)
      for (const key of keys) if (!opened.find(key)) throw new Error('an answer is missing');
  });
  await opened.close();
  return rate;
}

/** Returns the request with a seed. */
function requestOf(seed: number) {
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

/** Sends the same requests with the client and Node's `fetch`. */
async function bareClient(): Promise<void> {
  const client = new InferenceClient();
  await withConcurrency(seeds(), CONCURRENCY, (seed) =>
    client.chatCompletion({ endpointUrl: url, ...requestOf(seed) }),
  );
}

/** Sends the same requests without the client. */
async function bareRequests(): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await withConcurrency(seeds(), CONCURRENCY, async (seed) => {
    const body = JSON.stringify(requestOf(seed));
    JSON.parse((await sendRequest(`${url}/v1/chat/completions`, { method: 'POST', headers, body })).text);
  });
}

function seeds(): number[] {
  return Array.from({ length: IMAGES * CAPTIONS }, (_, seed) => seed);
}

async function withConcurrency<T>(items: readonly T[], width: number, work: (item: T) => unknown): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

async function perSecond(count: number, run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return (1000 * count) / (performance.now() - start);
}

function print(name: string, figure: string, ratio: number, what: string): void {
  console.log(`${name.padEnd(18)}${figure.padEnd(28)}ratio ${ratio.toFixed(2)} ${what}`);
}
