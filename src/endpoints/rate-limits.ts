import pThrottle from 'p-throttle';

const MINUTE_MS = 60_000;
/** The shortest window; timers are too coarse for shorter ones. */
const SHORTEST_WINDOW_MS = 20;

/**
 * Returns options of p-queue that spread the requests of a minute evenly: at most `intervalCap` in any `interval`. A
 * minute consists of a whole number of intervals, so that no minute, wherever it begins, has more requests than the
 * rate.
 */
export function rateWindow(
  perMinute: number | undefined,
): { interval: number; intervalCap: number; strict: true } | Record<never, never> {
  if (perMinute === undefined) return {};
  const intervalCap = Math.ceil((perMinute * SHORTEST_WINDOW_MS) / MINUTE_MS);
  const windows = Math.floor(perMinute / intervalCap);
  return { interval: MINUTE_MS / windows, intervalCap, strict: true };
}

/**
 * Limits the tokens per minute. A request takes its estimated tokens first, and the remaining tokens after its answer.
 */
export class TokenRate {
  readonly #perMinute: number;
  readonly #take: (tokens: number) => Promise<void>;

  /** @param signal rejects all pending `take` calls */
  constructor(perMinute: number, signal: AbortSignal) {
    this.#perMinute = perMinute;
    const throttle = pThrottle({
      limit: perMinute,
      interval: MINUTE_MS,
      strict: true,
      weight: (tokens: number) => tokens,
      signal,
    });
    this.#take = throttle(async (_tokens: number) => {});
  }

  /** Resolves when this number of tokens may be used. */
  take(tokens: number): Promise<void> {
    // A request that exceeds the limit of a minute takes a whole minute, since it would wait forever otherwise.
    return this.#take(Math.min(Math.max(tokens, 0), this.#perMinute));
  }

  /** Takes tokens that were used beyond the estimate. */
  correct(tokens: number): void {
    if (tokens > 0) this.take(tokens).catch(() => {});
  }
}
