import { OptionError } from '../errors.js';
import { checkNonNegative, checkPositiveInteger } from '../records/option-checks.js';
import { checkPrices, type Prices } from './prices.js';

/** The policy of requests to an endpoint: concurrency, rates, retries, time limits and budget. */
export interface PolicyOptions {
  /** The maximum number of requests in flight. Default 8. */
  readonly requestsAtOnce?: number;
  /** The maximum number of requests, including retries, in any minute. Default: no limit. */
  readonly requestsPerMinute?: number;
  /**
   * The maximum number of input and output tokens in any minute, estimated from earlier requests. Default: no limit.
   */
  readonly tokensPerMinute?: number;
  /** The maximum number of retries of a request, not counting those after a `Retry-After`. Default 10. */
  readonly retries?: number;
  /** The time limit of one request, in seconds, from 1 to 300. Default 120. */
  readonly requestSeconds?: number;
  /** The time limit of one answer, including all its retries and waits, in seconds. Default 900. */
  readonly answerSeconds?: number;
  /** The total time in seconds after which no more requests are sent. Default: no limit. */
  readonly totalSeconds?: number;
  /** The prices of the provider. */
  readonly prices?: Prices;
  /** The maximum spend of this process at `prices`; no more requests are sent after that. Default: no limit. */
  readonly budget?: number;
}

/** The options of a policy with defaults filled in. */
export type Policy = Required<
  Pick<PolicyOptions, 'requestsAtOnce' | 'retries' | 'requestSeconds' | 'answerSeconds' | 'prices'>
> &
  PolicyOptions;

/**
 * Checks the options and fills in the defaults.
 * @throws OptionError if an option is out of range
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
