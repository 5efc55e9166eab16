import type { IncomingHttpHeaders } from 'node:http';

/**
 * Returns the seconds to wait given by `Retry-After` (seconds or a date) or OpenAI's `retry-after-ms`; undefined if
 * neither is present.
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
