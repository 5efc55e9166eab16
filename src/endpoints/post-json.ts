import { redactingFetch } from './redacting-fetch.js';

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
