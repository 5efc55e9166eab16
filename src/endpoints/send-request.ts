import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { type BrotliOptions, brotliDecompress, unzip, type ZlibOptions } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { httpAgent } from './http-agent.js';
import { RequestFailure } from './request-failure.js';

/** An HTTP request. */
export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** A complete HTTP response. */
export interface HttpAnswer {
  readonly status: number;
  /** Header values by lower-case name. */
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** The maximum size of an answer, which is normally a sentence. */
const MAX_REPLY_BYTES = 4 * 2 ** 20;
const MAX_REDIRECTIONS = 5;

/** Compression is not worthwhile for a sentence. */
const ACCEPTED = { accept: 'application/json', 'accept-encoding': 'identity' };

/**
 * Sends a request and reads the whole answer, of limited size. Connections are reused; redirections are followed,
 * without the token if they lead to another origin. It uses undici, on which Node's `fetch` is built, directly: the
 * streams, copies and signals of `fetch` cost ten times as much as the rest of a request.
 *
 * @throws RequestFailure if the answer is too large or cannot be decompressed; the signal's reason; undici's errors
 */
export async function sendRequest(url: string | URL, request: HttpRequest): Promise<HttpAnswer> {
  const { origin, pathname, search } = new URL(url);
  const { method = 'POST', headers, body = null, signal } = request;
  const dispatcher = await sharedAgent();
  signal?.throwIfAborted();
  const { status, received, chunks } = await new Promise<ResponseCollector>((resolve, reject) => {
    const reply = new ResponseCollector(resolve, reject, signal);
    const path = pathname + search;
    dispatcher.dispatch(
      { origin, path, method: method as Dispatcher.HttpMethod, headers: { ...ACCEPTED, ...headers }, body },
      reply,
    );
  });
  const content = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  const decompressor = DECOMPRESSORS[String(received['content-encoding'] ?? '')];
  return {
    status,
    headers: received,
    text: (decompressor ? await decompress(content, decompressor) : content).toString(),
  };
}

let agent: Promise<Dispatcher> | undefined;

/** Returns the process's agent, which follows redirections. */
function sharedAgent(): Promise<Dispatcher> {
  agent ??= Promise.all([import('undici'), httpAgent()]).then(([{ interceptors }, connections]) =>
    connections.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTIONS })),
  );
  return agent;
}

/** Collects an answer while it arrives. */
class ResponseCollector implements Dispatcher.DispatchHandler {
  status = 0;
  received: IncomingHttpHeaders = {};
  readonly chunks: Buffer[] = [];
  #bytes = 0;
  #controller: Dispatcher.DispatchController | undefined;
  readonly #resolve: (collected: ResponseCollector) => void;
  readonly #reject: (error: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => {
    // Rejects first, since there may be no connection yet.
    this.#fail(this.#signal!.reason);
    this.#controller?.abort(this.#signal!.reason);
  };

  constructor(
    resolve: (collected: ResponseCollector) => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal?.aborted) controller.abort(this.#signal.reason);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.status = status;
    this.received = headers;
    if (Number(headers['content-length']) > MAX_REPLY_BYTES) controller.abort(tooLarge());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_REPLY_BYTES) controller.abort(tooLarge());
    else this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#resolve(this);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#reject(error);
  }
}

const tooLarge = () => new RequestFailure('too-large', `the server's answer exceeds ${MAX_REPLY_BYTES} bytes`);

type Decompressor = (compressed: Buffer, limits: ZlibOptions & BrotliOptions) => Promise<Buffer>;

/** Decompressors by content encoding: some servers compress although the request does not accept it. */
const DECOMPRESSORS: Readonly<Record<string, Decompressor>> = {
  gzip: promisify(unzip),
  deflate: promisify(unzip),
  br: promisify(brotliDecompress),
};

async function decompress(compressed: Buffer, decompressor: Decompressor): Promise<Buffer> {
  try {
    return await decompressor(compressed, { maxOutputLength: MAX_REPLY_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new RequestFailure('malformed', "the server's answer cannot be decompressed");
  }
}
