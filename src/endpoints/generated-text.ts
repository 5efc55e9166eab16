import { fieldsOf } from '../files/json/json-value.js';
import { quotedMessage } from './quoted-message.js';
import { RequestFailure } from './request-failure.js';

/**
 * The maximum length of a generated text in UTF-16 code units; a longer text is not a caption or graph and is cut off.
 */
const MAX_TEXT = 8000;

/**
 * Returns the text in the answer of a text-generation endpoint: `[{ generated_text }]` or `{ generated_text }`.
 * @param redact removes secrets from quoted texts of the server
 * @throws RequestFailure with the server's own message if the answer has another format
 */
export function generatedText(reply: unknown, redact: (text: string) => string): string {
  const { generated_text: text } = fieldsOf(Array.isArray(reply) ? reply[0] : reply);
  if (typeof text !== 'string') {
    const quoted = quotedMessage(JSON.stringify(reply) ?? '', redact);
    throw new RequestFailure('malformed', `the server's answer has no generated_text: ${quoted}`);
  }
  return text.slice(0, MAX_TEXT).trim();
}
