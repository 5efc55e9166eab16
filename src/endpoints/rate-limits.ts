import pThrottle from 'p-throttle';

const MINUTE_MS = 60_000;
/** Timers are too coarse for shorter windows. */
const SHORTEST_WINDOW_MS = 20;

/**
 * A minute's requests spread evenly, as the queue's options: at most `intervalCap` in any `interval`. A minute holds a
 * whole number of windows, so none, wherever it begins, sees more than the rate.
 */
export function rateWindow(
  perMinute: number | undefined,
): { interval: number; intervalCap: number; strict: true } | Record<never, never> {
  if (perMinute === undefined) return {};
  const intervalCap = Math.ceil((perMinute * SHORTEST_WINDOW_MS) / MINUTE_MS);
  const windows = Math.floor(perMinute / intervalCap);
  return { interval: MINUTE_MS / windows, intervalCap, strict: true };
}

/** Holds tokens a minute to a rate. A request takes what it is expected to need, and pays the rest afterwards. */
export class TokenRate {
  readonly #perMinute: number;
  readonly #take: (tokens: number) => Promise<void>;

  /** @param signal rejects all who wait */
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

  /** Resolves when so many tokens may be used. */
  take(tokens: number): Promise<void> {
    // More than a minute holds is as much as a minute holds: it has to go some time.
    return this.#take(Math.min(Math.max(tokens, 0), this.#perMinute));
  }

  /** Books tokens that were used beyond what was taken. */
  correct(tokens: number): void {
    if (tokens > 0) this.take(tokens).catch(() => {});
  }
}
