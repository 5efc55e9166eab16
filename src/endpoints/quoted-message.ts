/** The maximum length of a quotation of the server in messages. */
const MAX_QUOTED = 300;

/**
 * Returns the message in an answer of a server, for an error that quotes it. It is redacted before it is cut off, since the cut
 * could leave half of a secret.
 * @param redact removes secrets
 */
export function quotedMessage(body: string, redact: (text: string) => string): string {
  return redact(errorMessageIn(body)).slice(0, MAX_QUOTED);
}

/** Returns the code in the body of an error, which OpenAI's servers and those that are like them send: `insufficient_quota`. */
export function errorCodeIn(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: { code?: unknown; type?: unknown } };
    const code = error?.code ?? error?.type;
    return typeof code === 'string' ? code : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Returns the message in the body of an error: Hugging Face's `error`, `error.message` of others, or the whole body.
 */
function errorMessageIn(body: string): string {
  try {
    const { error, message, detail } = JSON.parse(body) as Record<string, unknown>;
    const text = (error as { message?: unknown } | undefined)?.message ?? error ?? message ?? detail;
    if (text !== undefined) return typeof text === 'string' ? text : JSON.stringify(text);
  } catch {
    // The body is not JSON or not an object.
  }
  return body
    .replace(/<[^<>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
