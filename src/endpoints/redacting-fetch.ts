import { parseNestedJson } from '../files/json/parse-json.js';
import { errorCodeIn, quotedMessage } from './quoted-message.js';
import { redactor, valueRedactor } from './redactor.js';
import { RequestFailure } from './request-failure.js';
import { retryAfterSeconds } from './retry-after-seconds.js';
import { type HttpAnswer, type HttpRequest, sendRequest } from './send-request.js';

/**
 * Returns a replacement for `fetch` that returns JSON or throws a RequestFailure. Hugging Face's client would otherwise
 * drop the headers of a 429 and put the token into its errors.
 *
 * @param secret the token that is sent; it is removed from answers and from quoted texts of the server, which may echo it
 */
export function redactingFetch(secret: string | undefined): typeof fetch {
  const redact = redactor(secret);
  const redactValue = valueRedactor(secret);
  const send = async (url: string | URL, request: HttpRequest = {}) => {
    let answer: HttpAnswer;
    try {
      answer = await sendRequest(url, request);
    } catch (error) {
      throw toRequestFailure(error, new URL(url).origin, request.signal, redact);
    }
    const { status, headers, text } = answer;
    if (status < 200 || status > 299) {
      const retryAfter = retryAfterSeconds(headers, Date.now());
      const quoted = quotedMessage(text, redact);
      const isRefused = status === 401 || status === 403;
      const sent = isRefused && secret === undefined ? '; no access token was sent' : '';
      const problem = `the server answered ${status}${quoted === '' ? '' : `: ${quoted}`}${sent}`;
      const isCreditSpent = status === 402 || errorCodeIn(text) === 'insufficient_quota';
      throw new RequestFailure('status', problem, {
        status,
        isCreditSpent,
        ...(retryAfter !== undefined && { retryAfter }),
      });
    }
    return jsonResponse(status, redactValue(parseJson(text, redact)));
  };
  return send as typeof fetch;
}

function parseJson(body: string, redact: (text: string) => string): unknown {
  try {
    return parseNestedJson(body.replace(/^\ufeff/, ''));
  } catch {
    throw new RequestFailure('malformed', `the server's answer is not JSON: ${redact(body).slice(0, 80)}`);
  }
}

const JSON_HEADERS = new Headers({ 'content-type': 'application/json' });

/** Returns the part of a Response that the client reads. A real Response would parse the body again, at a high cost. */
function jsonResponse(status: number, value: unknown): Response {
  const response: Pick<Response, 'ok' | 'status' | 'headers' | 'json'> = {
    ok: true,
    status,
    headers: JSON_HEADERS,
    json: () => Promise.resolve(value),
  };
  return response as Response;
}

function toRequestFailure(
  error: unknown,
  origin: string,
  signal: AbortSignal | undefined,
  redact: (text: string) => string,
): unknown {
  if (error instanceof RequestFailure) return error;
  if (signal?.aborted) return signal.reason;
  const { code, message } = error as NodeJS.ErrnoException;
  return new RequestFailure('network', `no answer from ${redact(origin)}: ${redact(code ?? message)}`);
}
