import { fieldsOf } from '../files/json/json-value.js';
import { redactingFetch } from './redacting-fetch.js';
import { RequestFailure } from './request-failure.js';

interface PostOptions {
  readonly token: string | undefined;
  /** Takes secrets out of what is quoted of the server. */
  readonly redact: (text: string) => string;
  readonly signal: AbortSignal;
}

/**
 * Sends JSON to an endpoint.
 * @throws RequestFailure where it does not answer with JSON
 */
export async function postJson(url: URL, body: string, { token, redact, signal }: PostOptions): Promise<unknown> {
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'relflow',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const response = await redactingFetch(redact)(url, { method: 'POST', headers, body, signal });
  return response.json();
}

/** More is no caption and no graph, whatever it is. */
const MAX_TEXT = 8000;

/**
 * What an endpoint of a text-writing pipeline wrote: `[{ generated_text }]`, or the same without the list.
 * @throws RequestFailure where it is neither
 */
export function generatedText(reply: unknown): string {
  const { generated_text: text } = fieldsOf(Array.isArray(reply) ? reply[0] : reply);
  if (typeof text !== 'string') {
    throw new RequestFailure('malformed', "the server's answer has no generated_text");
  }
  return text.slice(0, MAX_TEXT).trim();
}
