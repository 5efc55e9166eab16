import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { type BrotliOptions, brotliDecompress, unzip, type ZlibOptions } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { RequestFailure } from './request-failure.js';

/** What is sent. */
export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** What came back, whole. */
export interface HttpAnswer {
  readonly status: number;
  /** By names in small letters. */
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** An answer is a sentence; a server that sends more than this is no model. */
const MAX_REPLY_BYTES = 4 * 2 ** 20;
const MAX_REDIRECTIONS = 5;

/** To be worth packing, a sentence would have to be longer. */
const ACCEPTED = { accept: 'application/json', 'accept-encoding': 'identity' };

/**
 * Sends a request and takes the whole answer, of a bounded size. Connections are kept for the next request; redirections
 * are followed, without the token where they lead to another origin. It is what Node's `fetch` is built on, without the
 * streams, copies and signals of a browser, which cost ten times as much as all the rest of a request.
 *
 * @throws RequestFailure where the answer is too large or can't be unpacked; the signal's reason; undici's errors
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
  const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  const unpack = DECOMPRESSORS[String(received['content-encoding'] ?? '')];
  return { status, headers: received, text: (unpack ? await decompress(whole, unpack) : whole).toString() };
}

let agent: Promise<Dispatcher> | undefined;

/** The connections of this process. Those that are idle let it exit. */
function sharedAgent(): Promise<Dispatcher> {
  agent ??= import('undici').then(({ Agent, interceptors }) =>
    // How long a request may take is the policy's matter.
    new Agent({ headersTimeout: 0, bodyTimeout: 0 }).compose(
      interceptors.redirect({ maxRedirections: MAX_REDIRECTIONS }),
    ),
  );
  return agent;
}

/** An answer while it comes. */
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
    // Whoever asked need not wait for a connection that is not there yet.
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

type Decompress = (packed: Buffer, limits: ZlibOptions & BrotliOptions) => Promise<Buffer>;

/** Some servers pack what was asked for as it is. */
const DECOMPRESSORS: Readonly<Record<string, Decompress>> = {
  gzip: promisify(unzip),
  deflate: promisify(unzip),
  br: promisify(brotliDecompress),
};

async function decompress(packed: Buffer, unpack: Decompress): Promise<Buffer> {
  try {
    return await unpack(packed, { maxOutputLength: MAX_REPLY_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new RequestFailure('malformed', "the server's answer can't be unpacked");
  }
}
