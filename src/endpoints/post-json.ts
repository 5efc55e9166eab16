import { redactingFetch } from './redacting-fetch.js';

interface PostOptions {
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Sends JSON to an endpoint and returns the parsed JSON answer.
 * @throws RequestFailure if the endpoint does not answer with JSON
 */
export async function postJson(url: URL, body: string, { token, signal }: PostOptions): Promise<unknown> {
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'relflow',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const response = await redactingFetch(token)(url, { method: 'POST', headers, body, signal });
  return response.json();
}
