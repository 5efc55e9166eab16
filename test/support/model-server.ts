import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Faults that the server simulates. */
export type Fault =
  | 'rate-limit'
  | 'unavailable'
  | 'error'
  | 'slow'
  | 'cut'
  | 'invalid-json'
  | 'wrong-shape'
  | 'refusal'
  | 'empty'
  | 'length'
  | 'bad-request'
  | 'no-credit'
  | 'no-quota'
  | 'unauthorized'
  | 'not-found';

/** A request that the server received. */
export interface Seen {
  /** Equal for equal images or texts, seeds and parameters. */
  readonly key: string;
  readonly path: string;
  /** Time of arrival, as `performance.now()`. */
  readonly at: number;
  /** Number of requests with this key so far, from 1. */
  readonly attempt: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  fault: Fault | null;
  /** Whether the complete answer was sent to a client that was still connected. */
  answered: boolean;
}

/** Behavior of a server. */
export interface ModelServerOptions {
  /** Returns the fault of a request. */
  readonly fault?: (seen: Seen) => Fault | null;
  /** Returns the text of an answer. */
  readonly write?: (request: { subject: Buffer; seed: number }) => string;
  /** Answers chat completions instead of `write`. */
  readonly chat?: (body: Readonly<Record<string, unknown>>) => Promise<ChatAnswer>;
  /** Value of `Retry-After`, seconds; default 0.2. */
  readonly retryAfter?: number | string;
  readonly latencyMs?: number;
  readonly slowMs?: number;
  /** Whether BLIP and T5 answer with a list (default) or a single object. */
  readonly reply?: 'list' | 'alone';
  /** The only token that is accepted. */
  readonly token?: string;
  /** Omits the numbers of tokens. */
  readonly unmetered?: boolean;
}

/** An answer to a chat completion, or an error of the server. */
export type ChatAnswer =
  | {
      readonly content: string;
      readonly refusal?: string;
      readonly logprobs?: unknown;
      readonly tokens: { readonly input: number; readonly output: number };
    }
  | { readonly status: number; readonly error: string };

const CAPTIONS = [
  'a man riding a horse next to a dog',
  'a person sitting on a chair with a cup',
  'a woman holding an umbrella near a car',
  'a dog lying on a couch',
];

/**
 * A server for chat completion (`/v1/chat/completions`) and for the plain JSON of an endpoint's pipeline (any other path:
 * images in base64, or text), which records its requests.
 */
export class ModelServer {
  readonly seen: Seen[] = [];
  readonly #options: ModelServerOptions;
  readonly #server: Server;
  readonly #attempts = new Map<string, number>();
  #held: Promise<void> | null = null;
  #release = () => {};

  private constructor(options: ModelServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  static async start(options: ModelServerOptions = {}): Promise<ModelServer> {
    const server = new ModelServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Number of answers of each key. */
  get answers(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { key, answered } of this.seen) if (answered) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  }

  /** Accepts further requests but answers none until `release`. */
  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release();
    this.#held = null;
  }

  /** Waits until every connection is closed: no answer goes out after that. */
  async idle(): Promise<void> {
    const connections = () =>
      new Promise<number>((resolve, reject) =>
        this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      );
    while ((await connections()) > 0) await sleep(5);
  }

  async close(): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = performance.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    const isChat = (request.url ?? '').endsWith('/chat/completions');
    const key = createHash('sha256').update(JSON.stringify(body)).digest('hex');
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    const seen: Seen = {
      key,
      path: request.url ?? '',
      at,
      attempt,
      body,
      headers: request.headers,
      fault: null,
      answered: false,
    };
    seen.fault = this.#options.fault?.(seen) ?? null;
    this.seen.push(seen);
    const { token, latencyMs = 0, slowMs = 3000 } = this.#options;
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) seen.fault = 'unauthorized';
    if (this.#held) await this.#held;
    if (latencyMs > 0) await sleep(latencyMs);
    if (seen.fault === 'slow') await sleep(slowMs);
    // The client may have disconnected.
    if (!request.socket.destroyed) await this.#answer(seen, isChat, response);
  }

  async #answer(seen: Seen, isChat: boolean, response: ServerResponse): Promise<void> {
    const { retryAfter = 0.2 } = this.#options;
    const send = (status: number, value: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof value === 'string' ? value : JSON.stringify(value));
    };
    // Some servers repeat the token in their errors.
    const echo = `for ${seen.headers.authorization ?? 'anonymous'}`;
    const refusals: { readonly [F in Fault]?: readonly [status: number, body: unknown] } = {
      'rate-limit': [429, { error: `too many requests ${echo}` }],
      unavailable: [503, { error: `the model is loading ${echo}` }],
      error: [500, `<html><body>Internal Error ${echo}</body></html>`],
      'bad-request': [422, { error: { message: `the image cannot be read ${echo}` } }],
      'no-credit': [402, { error: `You have exceeded your monthly credits ${echo}` }],
      'no-quota': [
        429,
        {
          error: {
            message: `You exceeded your current quota ${echo}`,
            type: 'insufficient_quota',
            code: 'insufficient_quota',
          },
        },
      ],
      unauthorized: [401, { error: `Invalid credentials ${echo}` }],
      'not-found': [404, { detail: `no such model ${echo}` }],
      'invalid-json': [200, `{"choices": [{"message": ${echo}`],
      'wrong-shape': [200, { hello: 'world' }],
    };
    const refusal = seen.fault === null ? undefined : refusals[seen.fault];
    if (refusal) {
      const [status, body] = refusal;
      send(status, body, status === 429 ? { 'retry-after': String(retryAfter) } : {});
      return;
    }
    if (seen.fault === 'cut') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"choices":');
      setImmediate(() => response.destroy());
      return;
    }
    const chat = isChat ? await this.#options.chat?.(seen.body) : undefined;
    if (chat && 'status' in chat) return send(chat.status, { error: { message: chat.error } });
    response.on('finish', () => {
      seen.answered = true;
    });
    if (chat) {
      const { content, refusal, logprobs, tokens } = chat;
      const message = { role: 'assistant', content, ...(refusal !== undefined && { refusal }) };
      return send(200, {
        choices: [{ index: 0, finish_reason: 'stop', message, ...(logprobs !== undefined && { logprobs }) }],
        usage: { prompt_tokens: tokens.input, completion_tokens: tokens.output },
      });
    }
    const text = this.#text(seen, isChat);
    if (!isChat) {
      send(200, this.#options.reply === 'alone' ? { generated_text: text } : [{ generated_text: text }]);
      return;
    }
    const tokens = { prompt_tokens: 300, completion_tokens: 12, total_tokens: 312 };
    const finish = seen.fault === 'length' ? 'length' : 'stop';
    send(200, {
      id: 'chat-1',
      model: seen.body['model'],
      choices: [{ index: 0, finish_reason: finish, message: { role: 'assistant', content: text } }],
      ...(!this.#options.unmetered && { usage: tokens }),
    });
  }

  #text({ fault, body }: Seen, isChat: boolean): string {
    if (fault === 'refusal') return "I'm sorry, but I can't help with identifying people.";
    if (fault === 'empty') return '  ';
    const subject = isChat ? imageOf(body) : Buffer.from(String(body['inputs']), 'base64');
    const seed = Number(body['seed'] ?? 0);
    if (this.#options.write) return this.#options.write({ subject: isChat ? subject : plainSubject(body), seed });
    const number = createHash('sha256').update(subject).digest().readUInt32BE() + seed;
    return CAPTIONS[number % CAPTIONS.length]!;
  }
}

/** Returns the image of a request to a pipeline, or its text if it is not an image. */
function plainSubject({ inputs }: Readonly<Record<string, unknown>>): Buffer {
  const text = String(inputs);
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : Buffer.from(text);
}

function imageOf({ messages }: Readonly<Record<string, unknown>>): Buffer {
  const [message] = messages as { content: { type: string; image_url?: { url: string } }[] }[];
  const url = message?.content.find(({ type }) => type === 'image_url')?.image_url?.url ?? '';
  return Buffer.from(url.replace(/^data:image\/\w+;base64,/, ''), 'base64');
}
