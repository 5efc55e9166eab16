import type { Tokens } from '../records/answer.js';
import { checkNonNegative } from '../records/option-checks.js';

/** What a provider asks for, in any one currency. */
export interface Prices {
  /** For a million tokens of input. Default 0. */
  readonly input?: number;
  /** For a million tokens of output. Default 0. */
  readonly output?: number;
  /** For a request that was answered. Default 0. */
  readonly request?: number;
}

/** @throws OptionError where a price is not a number of at least 0 */
export function checkPrices(where: string, prices: Prices): void {
  for (const [name, price] of Object.entries(prices)) checkNonNegative(where, `price of ${name}`, price as number);
}

/** What `requests` answers that took `tokens` in all cost. */
export function costOf({ input = 0, output = 0, request = 0 }: Prices, tokens: Tokens, requests = 1): number {
  return (input * tokens.input + output * tokens.output) / 1e6 + request * requests;
}

/**
 * What was asked of a model in this process: never the same twice, so for `report.json` and the screen, not for the
 * manifest.
 */
export interface Usage {
  /** Requests that were sent, those that failed included. */
  requests: number;
  /** Answers that came. */
  answered: number;
  /** Answers that were in the store already. */
  cached: number;
  /** Requests that were sent again after a failure. */
  retried: number;
  /** Questions that got no answer in the end. */
  failed: number;
  /** Answers that were refusals or empty. */
  refused: number;
  inputTokens: number;
  outputTokens: number;
  /** Answers whose tokens the server did not say; they are counted at what was expected of them. */
  unmetered: number;
  /** In the currency of the prices; 0 without prices. */
  spend: number;
}

export const emptyUsage = (): Usage => ({
  requests: 0,
  answered: 0,
  cached: 0,
  retried: 0,
  failed: 0,
  refused: 0,
  inputTokens: 0,
  outputTokens: 0,
  unmetered: 0,
  spend: 0,
});
