import { fieldsOf } from '../files/json/json-value.js';
import { redactingFetch } from './redacting-fetch.js';
import { RequestFailure } from './request-failure.js';

interface PostOptions {
  readonly token: string | undefined;
  /** Removes secrets from quoted texts of the server. */
  readonly redact: (text: string) => string;
  readonly signal: AbortSignal;
}

/**
 * Sends JSON to an endpoint and returns the parsed JSON answer.
 * @throws RequestFailure if the endpoint does not answer with JSON
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

/**
 * The maximum length of a generated text in UTF-16 code units; a longer text is not a caption or graph and is cut off.
 */
const MAX_TEXT = 8000;

/**
 * Returns the text in the answer of a text-generation endpoint: `[{ generated_text }]` or `{ generated_text }`.
 * @throws RequestFailure if the answer has another format
 */
export function generatedText(reply: unknown): string {
  const { generated_text: text } = fieldsOf(Array.isArray(reply) ? reply[0] : reply);
  if (typeof text !== 'string') {
    throw new RequestFailure('malformed', "the server's answer has no generated_text");
  }
  return text.slice(0, MAX_TEXT).trim();
}
