import assert from 'node:assert/strict';
import { join } from 'node:path';
import { AnswerStore } from '../../src/endpoints/index.js';
import { type HfChatOptions, hfChat, type Image } from '../../src/index.js';
import { imageFolder } from './image-folder.js';
import { type Fault, ModelServer, type Seen } from './model-server.js';

const { signal } = new AbortController();

/** Captions, errors and counts of a captioner's run over images. */
export interface Captioned {
  readonly texts: (string[] | null)[];
  /** One for each image without captions. */
  readonly errors: unknown[];
  readonly counts: Record<string, number>;
  readonly usage: Record<string, number>;
}

/** Captions images all at once. */
export async function captionAll(images: readonly Image[], options: HfChatOptions): Promise<Captioned> {
  const captioner = hfChat(options);
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const settled = await Promise.allSettled(images.map(async (image) => captioner.caption(image, signal, count)));
  const usage = { ...captioner.usage!() };
  await captioner.close!();
  return {
    texts: settled.map((one) => (one.status === 'fulfilled' ? one.value.map(({ text }) => text) : null)),
    errors: settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])),
    counts,
    usage,
  };
}

/** Reads all answers of a store. */
export async function storedAnswers(folder: string) {
  const store = await AnswerStore.open(folder);
  const lines = [...store.lines()];
  await store.close();
  return lines;
}

/** Makes a share of first attempts fail in one of these ways; both follow from the request's key. */
export function firstAttempts(share: number, faults: readonly Fault[]): (seen: Seen) => Fault | null {
  return ({ key, attempt }) =>
    attempt === 1 && Number.parseInt(key.slice(0, 4), 16) < share * 0x10000
      ? faults[Number.parseInt(key.slice(4, 8), 16) % faults.length]!
      : null;
}

const REQUESTS_PER_SECOND = 100;

/**
 * Captions images while a fifth of the first attempts fail, and checks that each image is answered exactly once and no
 * request is sent before the rate allows it.
 */
export async function checkRetries(count: number, faults: readonly Fault[], requestSeconds: number): Promise<void> {
  const server = await ModelServer.start({ fault: firstAttempts(0.2, faults), slowMs: 1500 * requestSeconds });
  try {
    const { folder, images } = await imageFolder(count);
    const store = join(folder, 'store');
    const started = performance.now();
    const { texts, usage } = await captionAll(images, {
      endpointUrl: server.url,
      images: folder,
      store,
      requestsPerMinute: 60 * REQUESTS_PER_SECOND,
      requestSeconds,
    });
    assert.equal(texts.filter((captions) => captions?.length === 1).length, count);
    const failed = server.seen.filter(({ answered }) => !answered).length;
    assert.ok(failed >= 0.1 * count && failed <= 0.3 * count, `${failed} of ${count} failed`);
    for (const fault of faults)
      assert.ok(
        server.seen.some((seen) => seen.fault === fault),
        fault,
      );
    assert.equal(server.answers.size, count);
    assert.ok([...server.answers.values()].every((answers) => answers === 1));
    const answeredAt = new Map(server.seen.filter(({ answered }) => answered).map(({ key, at }) => [key, at]));
    assert.ok(
      server.seen.every(({ key, at }) => at <= answeredAt.get(key)!),
      'no request follows its answer',
    );
    assert.equal((await storedAnswers(store)).length, count);
    assert.equal(usage['requests'], server.seen.length);
    assert.equal(usage['answered'], count);
    assert.equal(usage['retried'], server.seen.length - count);
    // On a busy machine requests arrive later than they were sent, never earlier.
    for (const [index, at] of server.seen.map((seen) => seen.at).entries())
      assert.ok(at - started >= (1000 * index) / REQUESTS_PER_SECOND - 50, `request ${index} after ${at - started} ms`);
  } finally {
    await server.close();
  }
}
