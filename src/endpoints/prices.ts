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
