import { setMaxListeners } from 'node:events';
import PQueue from 'p-queue';
import pRetry from 'p-retry';
import { EndpointError, RelflowError } from '../errors.js';
import type { Tokens } from '../records/answer.js';
import type { Policy } from './policy-options.js';
import { costOf } from './prices.js';
import { rateWindow, TokenRate } from './rate-limits.js';
import { RequestFailure } from './request-failure.js';
import type { Usage } from './usage.js';

/** The first wait before a retry; each further wait is twice as long, times a random factor from 1 to 2. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** The maximum number of retries after an answer that cannot be read: the next one is likely to be the same, and is billed. */
const MAX_RETRIES_OF_UNREADABLE = 2;
/** The number of questions in a row without an answer after which the policy stops. */
const MAX_CONSECUTIVE_FAILURES = 16;
/** The number of attempts after which the policy stops if there has never been an answer. */
const ATTEMPTS_WITHOUT_SERVER = 4;

/** The part of an answer that the policy needs. */
interface Metered {
  readonly tokens?: Tokens;
}

/**
 * Sends requests to an endpoint within limits of concurrency and rate. It retries failed requests with growing waits
 * and respects `Retry-After`. It stops when credentials are refused or when credit, budget or time is spent; requests
 * in flight still complete, because they are paid for.
 */
export class RequestPolicy {
  readonly usage: Usage;
  readonly #where: string;
  readonly #policy: Policy;
  readonly #queue: PQueue;
  readonly #tokenRate: TokenRate | null;
  readonly #startedAt = performance.now();
  /** Aborted when no more requests are sent. */
  readonly #stopping = new AbortController();
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #combinedSignals = new WeakMap<AbortSignal, AbortSignal>();
  #reserved = 0;
  #questions = 0;
  #waitingSince: number | null = null;
  #consecutiveFailures = 0;
  #resumeAt = 0;
  #resumeTimer: NodeJS.Timeout | undefined;
  #largestInput = 0;
  #largestOutput = 0;

  /**
   * @param where the name of the caller in messages
   * @param usage the counters to increase
   */
  constructor(where: string, policy: Policy, usage: Usage) {
    this.usage = usage;
    this.#where = where;
    this.#policy = policy;
    this.#queue = new PQueue({ concurrency: policy.requestsAtOnce, ...rateWindow(policy.requestsPerMinute) });
    this.#tokenRate =
      policy.tokensPerMinute === undefined ? null : new TokenRate(policy.tokensPerMinute, this.#stopping.signal);
  }

  /**
   * Sends one request and its retries.
   * @param send makes one request; throws a RequestFailure if it gets no usable answer
   * @param keep stores the answer; it completes before an error that stops the policy is reported
   * @param expected the expected tokens: an estimate of the input and the maximum of the output
   * @param signal aborts immediately, including requests in flight
   * @throws EndpointError if no more requests are sent; the last RequestFailure if there is no answer
   */
  async ask<T extends Metered>(
    send: (signal: AbortSignal) => Promise<T>,
    keep: (answer: T) => Promise<T>,
    expected: Tokens,
    signal: AbortSignal,
  ): Promise<T> {
    const combined = this.#stopOrAbort(signal);
    this.#questions++;
    this.#measureWaiting();
    try {
      return await pRetry(
        async (attempt) => {
          await this.#tokenRate?.take(this.#estimateTokens(expected));
          return this.#queue.add(() => this.#attempt(send, keep, expected, attempt, signal), { signal: combined });
        },
        {
          retries: Number.POSITIVE_INFINITY,
          minTimeout: FIRST_WAIT_MS,
          maxTimeout: LONGEST_WAIT_MS,
          maxRetryTime: this.#policy.answerSeconds * 1000,
          randomize: true,
          signal: combined,
          // A `Retry-After` does not count as a failure: the queue pauses for as long as the server asked.
          shouldConsumeRetry: ({ error }) => !hasRetryAfter(error),
          shouldRetry: ({ error, retriesConsumed }) =>
            hasRetryAfter(error) || (isTransient(error) && retriesConsumed < this.#retriesAfter(error)),
        },
      );
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RequestFailure) this.#recordFailure(error);
      else if (!this.#stopping.signal.aborted) this.#stopWith(error);
      if (!this.#stopping.signal.aborted) throw error;
      // Requests in flight are paid for, so their answers are stored before the error ends the run.
      await Promise.allSettled(this.#inFlight);
      throw this.#stopping.signal.reason;
    } finally {
      this.#questions--;
      this.#measureWaiting();
    }
  }

  /** Starts or stops the clock of waiting; called when a question or a request begins or ends. */
  #measureWaiting(): void {
    const now = performance.now();
    if (this.#waitingSince !== null) this.usage.waitedSeconds += (now - this.#waitingSince) / 1000;
    this.#waitingSince = this.#questions > 0 && this.#inFlight.size === 0 ? now : null;
  }

  /** Returns a signal that is aborted when the given signal is aborted or the policy stops. */
  #stopOrAbort(signal: AbortSignal): AbortSignal {
    let combined = this.#combinedSignals.get(signal);
    if (!combined) {
      combined = AbortSignal.any([signal, this.#stopping.signal]);
      // All images of a run share one signal.
      setMaxListeners(0, signal, combined);
      this.#combinedSignals.set(signal, combined);
    }
    return combined;
  }

  #retriesAfter(error: Error): number {
    const isUnreadable = error instanceof RequestFailure && error.kind === 'malformed';
    return isUnreadable ? Math.min(this.#policy.retries, MAX_RETRIES_OF_UNREADABLE) : this.#policy.retries;
  }

  /** Rejects all waiting requests. */
  close(): void {
    clearTimeout(this.#resumeTimer);
    this.#stopping.abort(new EndpointError(this.#where, 'closed', 'is closed'));
  }

  /**
   * Makes one request. It occupies the queue until its answer is stored, so that kill -9 loses at most the requests in
   * flight.
   */
  async #attempt<T extends Metered>(
    send: (signal: AbortSignal) => Promise<T>,
    keep: (answer: T) => Promise<T>,
    expected: Tokens,
    attempt: number,
    signal: AbortSignal,
  ): Promise<T> {
    const cost = costOf(this.#policy.prices, {
      input: Math.max(expected.input, this.#largestInput),
      output: Math.max(expected.output, this.#largestOutput),
    });
    await this.#reserve(cost);
    this.usage.requests++;
    if (attempt > 1) this.usage.retried++;
    const sent = withinTime(send, this.#policy.requestSeconds, signal)
      .then((answer) => {
        this.#recordAnswer(answer.tokens, expected);
        return answer;
      })
      .catch((error: unknown) => {
        if (error instanceof RequestFailure && error.kind === 'malformed')
          this.#recordUnreadable(error.tokens, expected);
        throw error;
      })
      .finally(() => {
        this.#reserved -= cost;
      });
    const kept = sent.then(keep);
    this.#inFlight.add(kept);
    this.#measureWaiting();
    try {
      return await kept;
    } catch (error) {
      // Handled before the queue starts another request, which may no longer be allowed.
      if (error instanceof RequestFailure) this.#handleFailure(error, attempt);
      throw error;
    } finally {
      this.#inFlight.delete(kept);
      this.#measureWaiting();
    }
  }

  /**
   * Reserves the maximum cost of a request, waiting until it fits into the budget besides those in flight, or stops.
   */
  async #reserve(cost: number): Promise<void> {
    const { budget, totalSeconds } = this.#policy;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    if (totalSeconds !== undefined && seconds > totalSeconds) {
      this.#stop('time-spent', `the time limit of ${totalSeconds} seconds is reached`);
    }
    while (budget !== undefined && this.usage.spend + this.#reserved + cost > budget) {
      if (this.#inFlight.size === 0) {
        this.#stop(
          'budget-spent',
          `the next request could exceed the budget of ${budget}, of which ${round(this.usage.spend)} is spent`,
        );
      }
      await Promise.race(this.#inFlight).catch(() => {});
    }
    this.#stopping.signal.throwIfAborted();
    // No `await` since the check above, so that no other request reserves the same budget.
    this.#reserved += cost;
  }

  #recordAnswer(tokens: Tokens | undefined, expected: Tokens): void {
    this.#recordTokens(tokens, expected);
    this.#consecutiveFailures = 0;
    this.usage.answered++;
  }

  /** Counts an answer that cannot be read, which the server may have billed nevertheless. */
  #recordUnreadable(tokens: Tokens | undefined, expected: Tokens): void {
    this.#recordTokens(tokens, expected);
    this.usage.unreadable++;
  }

  #recordTokens(tokens: Tokens | undefined, expected: Tokens): void {
    const { input, output } = tokens ?? expected;
    if (tokens) {
      this.#largestInput = Math.max(this.#largestInput, input);
      this.#largestOutput = Math.max(this.#largestOutput, output);
      this.#tokenRate?.correct(input + output - this.#estimateTokens(expected));
    } else {
      this.usage.unmetered++;
    }
    this.usage.inputTokens += input;
    this.usage.outputTokens += output;
    this.usage.spend += costOf(this.#policy.prices, { input, output });
  }

  /** Estimates the tokens of a request from the average of the answers so far. */
  #estimateTokens(expected: Tokens): number {
    const { inputTokens, outputTokens } = this.usage;
    const answers = this.usage.answered + this.usage.unreadable;
    return answers === 0 ? expected.input + expected.output : Math.ceil((inputTokens + outputTokens) / answers);
  }

  /** Stops or pauses the policy if a failure also concerns the requests after it. */
  #handleFailure({ kind, status, retryAfter, isCreditSpent, message }: RequestFailure, attempt: number): void {
    if (status === 401 || status === 403)
      this.#stop(
        'credentials-refused',
        `${message}; check the token (--token-file, or the variable RELFLOW_TOKEN or HF_TOKEN)`,
      );
    if (isCreditSpent) this.#stop('credit-spent', message);
    if (status === 404 || status === 405 || status === 410)
      this.#stop('no-such-model', `${message}; check the endpoint and the model`);
    if (kind === 'network' && this.usage.answered === 0 && attempt >= ATTEMPTS_WITHOUT_SERVER) {
      this.#stop('no-server', message);
    }
    if (retryAfter === undefined) return;
    if (retryAfter > this.#policy.answerSeconds) {
      this.#stop('put-off', `${message}; the server asks to wait ${Math.ceil(retryAfter)} seconds, resume after that`);
    }
    this.#pause(retryAfter);
  }

  /** Pauses all requests, since the server limits them together. */
  #pause(seconds: number): void {
    const until = performance.now() + seconds * 1000 + Math.random() * 250;
    if (until <= this.#resumeAt) return;
    this.#resumeAt = until;
    this.#queue.pause();
    clearTimeout(this.#resumeTimer);
    this.#resumeTimer = setTimeout(() => this.#queue.start(), until - performance.now());
  }

  #recordFailure(failure: RequestFailure): void {
    this.usage.failed++;
    const never = this.usage.answered === 0 && isTransient(failure);
    const limit = never ? Math.min(this.#policy.requestsAtOnce, ATTEMPTS_WITHOUT_SERVER) : MAX_CONSECUTIVE_FAILURES;
    if (++this.#consecutiveFailures < limit) return;
    this.#stopWith(
      new EndpointError(
        this.#where,
        'no-answers',
        `${never ? 'the server has never answered' : `${this.#consecutiveFailures} questions in a row were not answered`}; the last error: ${failure.message}`,
      ),
    );
  }

  #stop(reason: string, problem: string): never {
    const { requests, answered } = this.usage;
    const done = `after ${requests} requests, ${answered} of them answered and stored`;
    this.#stopWith(new EndpointError(this.#where, reason, `${problem} (${done})`, { ...this.usage }));
    throw this.#stopping.signal.reason;
  }

  #stopWith(error: unknown): void {
    // Only errors that end the run stop the policy; an error of one image does not.
    if (error instanceof RelflowError && error.code !== 'bad-record') this.#stopping.abort(error);
  }
}

const isTransient = (error: unknown) =>
  error instanceof RequestFailure &&
  (error.kind === 'status'
    ? [408, 409, 425, 429].includes(error.status!) || error.status! >= 500
    : error.kind !== 'too-large');

const hasRetryAfter = (error: unknown) =>
  error instanceof RequestFailure && error.retryAfter !== undefined && isTransient(error);

const round = (amount: number) => Number(amount.toPrecision(4));

/** Calls `run` with a signal that is aborted by the given signal or after some seconds. */
async function withinTime<T>(
  run: (signal: AbortSignal) => Promise<T>,
  seconds: number,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  // One controller instead of `AbortSignal.any` and a timeout signal, which would accumulate over millions of requests.
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  const timer = setTimeout(() => {
    controller.abort(new RequestFailure('timeout', `no answer from the server within ${seconds} seconds`));
  }, seconds * 1000);
  signal.addEventListener('abort', abort);
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
