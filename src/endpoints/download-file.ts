import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RequestInit, Response } from 'undici';
import { EndpointError, InputError } from '../errors.js';
import { checksum } from '../files/checksum.js';
import { syncFolder } from '../files/sync-folder.js';
import { wrapFileErrors } from '../files/wrap-io-errors.js';
import { checkEndpointUrl } from './check-endpoint-url.js';
import { httpAgent } from './http-agent.js';

/** A file to download. */
export interface Download {
  readonly url: string;
  /** The path that it gets once it is complete. */
  readonly to: string;
  /** The expected size; null if it is not known. */
  readonly bytes: number | null;
  /** The expected SHA-256; null if it is not known, in which case one that the server states is compared. */
  readonly sha256: string | null;
  readonly signal?: AbortSignal;
  /** Called with the bytes that are there, and the size if the server says it. */
  readonly onProgress?: (done: number, total: number | null) => void;
}

/** A downloaded file. */
export interface Downloaded {
  readonly bytes: number;
  readonly sha256: string;
  /** What the checksum was compared with; null if none is stated. */
  readonly verified: 'catalogue' | 'server' | null;
}

/**
 * Downloads a file. What arrives is kept in `FILE.part`, so that a download that was interrupted continues where it ended if the
 * server still has the same file; the file appears under its name only when it is complete and its size and checksum are right.
 *
 * @throws EndpointError if the server cannot be reached or refuses
 * @throws InputError if size or checksum are other than expected; then nothing is kept
 * @throws OutputError if the file cannot be written
 */
export async function downloadFile({ url, to, bytes, sha256, signal, onProgress }: Download): Promise<Downloaded> {
  checkEndpointUrl('weights get', url);
  const part = `${to}.part`;
  const tagFile = `${part}.etag`;
  const { tag, stated } = await headOf(url, signal);
  const kept = tag !== null && (await readFile(tagFile, 'utf8').catch(() => null)) === tag;
  const from = kept ? ((await stat(part).catch(() => null))?.size ?? 0) : 0;
  const response = await request(url, {
    ...(signal && { signal }),
    headers: { 'accept-encoding': 'identity', ...(from > 0 && { range: `bytes=${from}-` }) },
  });
  const isComplete = response.status === 416 && from > 0;
  if (!isComplete && response.status !== 200 && response.status !== 206) throw refused(url, response.status);
  if (tag !== null) await wrapFileErrors(tagFile, () => writeFile(tagFile, tag));
  if (!isComplete) await receive(url, response, part, response.status === 206 ? from : 0, onProgress);
  const found = await checksum(part);
  const expected = sha256 ?? stated;
  const wrong =
    bytes !== null && found.bytes !== bytes
      ? `has ${found.bytes} bytes, expected ${bytes}`
      : expected !== null && found.sha256 !== expected
        ? `has the SHA-256 ${found.sha256}, expected ${expected}`
        : null;
  if (wrong !== null) {
    await removeParts();
    throw new InputError(url, `${wrong}: the download was discarded, try again`);
  }
  await wrapFileErrors(to, async () => {
    await rename(part, to);
    await rm(tagFile, { force: true });
    await syncFolder(dirname(to));
  });
  return { ...found, verified: sha256 !== null ? 'catalogue' : stated !== null ? 'server' : null };

  async function removeParts() {
    await rm(part, { force: true });
    await rm(tagFile, { force: true });
  }
}

/** Asks for the version of a file, and the checksum that Hugging Face states for it. */
async function headOf(url: string, signal: AbortSignal | undefined) {
  const response = await request(url, { method: 'HEAD', redirect: 'manual', ...(signal && { signal }) });
  // Servers without HEAD refuse it; then nothing is known.
  if (response.status === 404 || response.status === 401 || response.status === 403)
    throw refused(url, response.status);
  const tagOf = (name: string) => response.headers.get(name);
  const linked = tagOf('x-linked-etag')?.replaceAll('"', '') ?? null;
  const tag = tagOf('etag');
  return {
    // A weak tag does not promise the same bytes.
    tag: linked !== null ? `"${linked}"` : tag?.startsWith('W/') ? null : tag,
    stated: linked !== null && /^[0-9a-f]{64}$/.test(linked) ? linked : null,
  };
}

async function receive(
  url: string,
  response: Response,
  part: string,
  from: number,
  onProgress: Download['onProgress'],
): Promise<void> {
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  const total = Number.isFinite(length) ? from + length : null;
  await wrapFileErrors(part, async () => {
    const file = await open(part, from > 0 ? 'r+' : 'w');
    let done = from;
    try {
      await file.truncate(from);
      for await (const piece of piecesOf(url, response)) {
        await file.write(piece, 0, piece.length, done);
        done += piece.length;
        onProgress?.(done, total);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

async function* piecesOf(url: string, response: Response): AsyncGenerator<Uint8Array, void> {
  try {
    yield* response.body!;
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new EndpointError(url, 'interrupted', 'the connection ended early: run the command again to continue');
  }
}

async function request(url: string, init: Omit<RequestInit, 'dispatcher'>): Promise<Response> {
  try {
    const { fetch } = await import('undici');
    return await fetch(url, { ...init, dispatcher: await httpAgent() });
  } catch (error) {
    init.signal?.throwIfAborted();
    const { cause } = error as { cause?: { code?: string; message?: string } };
    throw new EndpointError(
      url,
      'unreachable',
      `cannot be reached: ${cause?.code ?? cause?.message ?? (error as Error).message}`,
    );
  }
}

const refused = (url: string, status: number) =>
  new EndpointError(url, 'refused', `answered with status ${status}, expected the file: open the page in a browser`);
