import type { Tokens } from '../records/answer.js';
import { checkNonNegative } from '../records/option-checks.js';

/** The prices of a provider, in any one currency. */
export interface Prices {
  /** The price of a million input tokens. Default 0. */
  readonly input?: number;
  /** The price of a million output tokens. Default 0. */
  readonly output?: number;
  /** The price of an answered request. Default 0. */
  readonly request?: number;
}

/** @throws OptionError if a price is not a number of at least 0 */
export function checkPrices(where: string, prices: Prices): void {
  for (const [name, price] of Object.entries(prices)) checkNonNegative(where, `price of ${name}`, price as number);
}

/** Returns the cost of a number of answered requests that used `tokens` in total. */
export function costOf({ input = 0, output = 0, request = 0 }: Prices, tokens: Tokens, requests = 1): number {
  return (input * tokens.input + output * tokens.output) / 1e6 + request * requests;
}

/**
 * Counters of the requests of this process. They differ between runs, so they go to `report.json` and the screen, not
 * to the manifest.
 */
export interface Usage {
  /** Requests sent, including failed ones. */
  requests: number;
  /** Answers received. */
  answered: number;
  /** Answers found in the store. */
  cached: number;
  /** Retries after a failure. */
  retried: number;
  /** Questions without an answer after all retries. */
  failed: number;
  /** Answers that are refusals or empty. */
  refused: number;
  inputTokens: number;
  outputTokens: number;
  /** Answers for which the server did not report tokens; they are counted with the expected tokens. */
  unmetered: number;
  /** The cost in the currency of the prices; 0 without prices. */
  spend: number;
}

/** Returns counters that are all 0. */
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
