/**
 * Returns the message in the body of an error: Hugging Face's `error`, `error.message` of others, or the whole body.
 */
export function errorMessageIn(body: string): string {
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
