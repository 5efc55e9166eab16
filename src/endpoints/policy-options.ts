import { OptionError } from '../errors.js';
import { checkNonNegative, checkPositiveInteger } from '../records/option-checks.js';
import { checkPrices, type Prices } from './usage.js';

/** How an endpoint is treated: how fast, how patiently and for how much. */
export interface PolicyOptions {
  /** Requests at once. Default 8. */
  readonly requestsAtOnce?: number;
  /** Requests a minute at most, retries included, in any minute; without it as fast as they are answered. */
  readonly requestsPerMinute?: number;
  /** Tokens a minute at most, input and output; what a request will take is learned from those before it. */
  readonly tokensPerMinute?: number;
  /** How often a request that failed is sent again, not counting those that the server put off. Default 10. */
  readonly retries?: number;
  /** How long one request may take, in seconds, from 1 to 300. Default 120. */
  readonly requestSeconds?: number;
  /** How long one answer may take with all its retries and waits, in seconds. Default 900. */
  readonly answerSeconds?: number;
  /** Ask no more after so many seconds in all. */
  readonly totalSeconds?: number;
  /** What the provider asks for. */
  readonly prices?: Prices;
  /** Ask no more once this much is spent in this process, at `prices`. */
  readonly budget?: number;
}

/** The options with their defaults. */
export type Policy = Required<
  Pick<PolicyOptions, 'requestsAtOnce' | 'retries' | 'requestSeconds' | 'answerSeconds' | 'prices'>
> &
  PolicyOptions;

/**
 * Checks the options and fills in the defaults.
 * @throws OptionError naming the option that is out of range
 */
export function resolvePolicy(where: string, options: PolicyOptions): Policy {
  const { requestsAtOnce = 8, retries = 10, requestSeconds = 120, answerSeconds = 900, prices = {} } = options;
  checkPositiveInteger(where, 'requestsAtOnce', requestsAtOnce);
  for (const name of ['requestsPerMinute', 'tokensPerMinute'] as const) {
    const value = options[name];
    if (value !== undefined) checkPositiveInteger(where, name, value);
  }
  if (!Number.isSafeInteger(retries) || retries < 0) {
    throw new OptionError(where, `retries ${retries}, expected a whole number of at least 0`);
  }
  if (!(requestSeconds >= 1 && requestSeconds <= 300)) {
    throw new OptionError(where, `requestSeconds ${requestSeconds}, expected a number from 1 to 300`);
  }
  for (const [name, value] of Object.entries({ answerSeconds, totalSeconds: options.totalSeconds })) {
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      throw new OptionError(where, `${name} ${value}, expected a number above 0`);
    }
  }
  checkPrices(where, prices);
  if (options.budget !== undefined) {
    checkNonNegative(where, 'budget', options.budget);
    if (!Object.values(prices).some((price) => price > 0)) {
      throw new OptionError(
        where,
        `budget ${options.budget} without prices, expected a price of input, output or request`,
      );
    }
  }
  return { ...options, requestsAtOnce, retries, requestSeconds, answerSeconds, prices };
}
