import type { IncomingHttpHeaders } from 'node:http';
import { RequestFailure } from './request-failure.js';
import { type HttpAnswer, type HttpRequest, sendRequest } from './send-request.js';

const MAX_QUOTED = 300;

/**
 * What goes in the place of `fetch`: it answers with JSON or throws a RequestFailure, since the client of Hugging Face
 * would lose the headers of a 429 and hold the token in its errors.
 *
 * @param redact takes secrets out of what is quoted of the server
 */
export function redactingFetch(redact: (text: string) => string): typeof fetch {
  const send = async (url: string | URL, request: HttpRequest = {}) => {
    let answer: HttpAnswer;
    try {
      answer = await sendRequest(url, request);
    } catch (error) {
      throw toRequestFailure(error, request.signal, redact);
    }
    const { status, headers, text } = answer;
    if (status < 200 || status > 299) {
      const retryAfter = retryAfterSeconds(headers, Date.now());
      // What is cut first could leave half of a secret.
      const said = redact(errorMessageIn(text)).slice(0, MAX_QUOTED);
      const problem = `the server answered ${status}${said === '' ? '' : `: ${said}`}`;
      throw new RequestFailure('status', problem, { status, ...(retryAfter !== undefined && { retryAfter }) });
    }
    return jsonResponse(status, parseJson(text, redact));
  };
  return send as typeof fetch;
}

function parseJson(body: string, redact: (text: string) => string): unknown {
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

function toRequestFailure(error: unknown, signal: AbortSignal | undefined, redact: (text: string) => string): unknown {
  if (error instanceof RequestFailure) return error;
  if (signal?.aborted) return signal.reason;
  const { code, message } = error as NodeJS.ErrnoException;
  return new RequestFailure('network', `no answer from the server: ${redact(code ?? message)}`);
}

/** What an error's body says: `error` of Hugging Face, `error.message` of the others, or the body as it is. */
function errorMessageIn(body: string): string {
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
export function retryAfterSeconds(headers: IncomingHttpHeaders, now: number): number | undefined {
  const milliseconds = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (milliseconds >= 0) return milliseconds / 1000;
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  if (/^\s*\d+(?:\.\d+)?\s*$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}
