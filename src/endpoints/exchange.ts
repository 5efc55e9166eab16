import { RelflowError } from '../errors.js';

/** What went wrong with one request. */
export type FailureKind = 'network' | 'timeout' | 'status' | 'malformed' | 'too-large';

/** One request without a usable answer. The policy decides whether it is sent again. */
export class RequestFailure extends RelflowError {
  readonly kind: FailureKind;
  /** Of HTTP, where the server answered. */
  readonly status: number | undefined;
  /** What the server asks for before the next request, in seconds. */
  readonly retryAfter: number | undefined;

  constructor(
    kind: FailureKind,
    problem: string,
    { status, retryAfter }: { status?: number; retryAfter?: number } = {},
  ) {
    super('request-failed', problem, { kind, ...(status !== undefined && { status }) });
    this.kind = kind;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** An answer is a sentence; a server that sends more than this is no model. */
const MAX_REPLY_BYTES = 4 * 2 ** 20;
const MAX_QUOTED = 300;

/**
 * `fetch` that answers with JSON of a bounded size or throws a RequestFailure: the client of Hugging Face would lose the
 * headers of a 429 and hold the token in its errors.
 *
 * @param redact takes secrets out of what is quoted of the server
 */
export function exchange(redact: (text: string) => string): typeof fetch {
  return async (input, init) => {
    let response: Response;
    let body: string;
    try {
      response = await fetch(input, init);
      body = await boundedText(response);
    } catch (error) {
      throw asFailure(error, init?.signal ?? undefined, redact);
    }
    const { status, headers } = response;
    if (!response.ok) {
      const retryAfter = secondsToWait(headers, Date.now());
      // What is cut first could leave half of a secret.
      const said = redact(messageIn(body)).slice(0, MAX_QUOTED);
      const text = `the server answered ${status}${said === '' ? '' : `: ${said}`}`;
      throw new RequestFailure('status', text, { status, ...(retryAfter !== undefined && { retryAfter }) });
    }
    return jsonResponse(status, parsed(body, redact));
  };
}

function parsed(body: string, redact: (text: string) => string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new RequestFailure('malformed', `the server's answer is no JSON: ${redact(body).slice(0, 80)}`);
  }
}

const JSON_HEADERS = new Headers({ 'content-type': 'application/json' });

/** What the client reads of a Response. A real one would parse the body again, which costs as much as the request. */
function jsonResponse(status: number, value: unknown): Response {
  const response: Pick<Response, 'ok' | 'status' | 'headers' | 'json'> = {
    ok: true,
    status,
    headers: JSON_HEADERS,
    json: () => Promise.resolve(value),
  };
  return response as Response;
}

async function boundedText(response: Response): Promise<string> {
  const tooLarge = () => new RequestFailure('too-large', `the server's answer exceeds ${MAX_REPLY_BYTES} bytes`);
  // Packed, its length says nothing.
  if (!response.headers.has('content-encoding') && response.headers.has('content-length')) {
    if (Number(response.headers.get('content-length')) > MAX_REPLY_BYTES) throw tooLarge();
    return response.text();
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_REPLY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function asFailure(error: unknown, signal: AbortSignal | undefined, redact: (text: string) => string): unknown {
  if (error instanceof RequestFailure) return error;
  if (signal?.aborted) return signal.reason;
  const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
  const why = cause?.code ?? cause?.message ?? (error as Error).message;
  return new RequestFailure('network', `no answer from the server: ${redact(String(why))}`);
}

/** What an error's body says: `error` of Hugging Face, `error.message` of the others, or the body as it is. */
function messageIn(body: string): string {
  try {
    const { error, message, detail } = JSON.parse(body) as Record<string, unknown>;
    const said = (error as { message?: unknown } | undefined)?.message ?? error ?? message ?? detail;
    if (said !== undefined) return typeof said === 'string' ? said : JSON.stringify(said);
  } catch {
    // It is no JSON, or not an object.
  }
  return body
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * `Retry-After` as seconds or a date, or OpenAI's `retry-after-ms`.
 * Source: RFC 9110, section 10.2.3.
 */
export function secondsToWait(headers: Headers, now: number): number | undefined {
  const milliseconds = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (milliseconds >= 0) return milliseconds / 1000;
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  if (/^\s*\d+(?:\.\d+)?\s*$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}
