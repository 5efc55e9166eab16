import { setMaxListeners } from 'node:events';
import PQueue from 'p-queue';
import pRetry from 'p-retry';
import { EndpointError, RelflowError } from '../errors.js';
import type { Tokens } from '../records/answer.js';
import type { Policy } from './policy-options.js';
import { rateWindow, TokenRate } from './rate-limits.js';
import { RequestFailure } from './request-failure.js';
import { costOf, type Usage } from './usage.js';

/** The first wait before a retry; each is twice the last, times a random number from 1 to 2. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** So many answers in a row that nobody gets are no accident. */
const MAX_CONSECUTIVE_FAILURES = 16;
/** Where nothing ever answered, a few attempts are enough to say so. */
const ATTEMPTS_WITHOUT_SERVER = 4;

/** What the policy has to know of an answer. */
interface Metered {
  readonly tokens?: Tokens;
}

/**
 * Sends requests as an endpoint bears them: so many at once and a minute, again after a failure with growing waits, not
 * before `Retry-After`, and none any more once credentials are refused or credit, budget or time is spent. Then what is
 * in flight still comes to its end, since it is paid for.
 */
export class RequestPolicy {
  readonly usage: Usage;
  readonly #where: string;
  readonly #policy: Policy;
  readonly #queue: PQueue;
  readonly #tokenRate: TokenRate | null;
  readonly #startedAt = performance.now();
  /** Aborted where nothing new is to be sent. */
  readonly #stopping = new AbortController();
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #combinedSignals = new WeakMap<AbortSignal, AbortSignal>();
  #reserved = 0;
  #consecutiveFailures = 0;
  #resumeAt = 0;
  #resumeTimer: NodeJS.Timeout | undefined;
  #largestInput = 0;

  /**
   * @param where who asks, for messages
   * @param usage is added to
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
   * @param send makes one request; throws RequestFailure where it brings nothing
   * @param keep puts away what it brought, before anybody is told that the asking is over
   * @param expected tokens of input as far as they can be known, and of output at most
   * @param signal ends at once, what is in flight included
   * @throws EndpointError where nothing is sent any more; the last RequestFailure where there is no answer
   */
  async ask<T extends Metered>(
    send: (signal: AbortSignal) => Promise<T>,
    keep: (answer: T) => Promise<T>,
    expected: Tokens,
    signal: AbortSignal,
  ): Promise<T> {
    const combined = this.#stopOrAbort(signal);
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
          // To be put off is no failure: the queue waits for as long as the server asked.
          shouldConsumeRetry: ({ error }) => !hasRetryAfter(error),
          shouldRetry: ({ error, retriesConsumed }) =>
            hasRetryAfter(error) || (isTransient(error) && retriesConsumed < this.#policy.retries),
        },
      );
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RequestFailure) this.#recordFailure(error);
      else if (!this.#stopping.signal.aborted) this.#stopWith(error);
      if (!this.#stopping.signal.aborted) throw error;
      // What is on its way is paid for: it has to be kept before anybody ends the run.
      await Promise.allSettled(this.#inFlight);
      throw this.#stopping.signal.reason;
    }
  }

  /** Aborted where whoever has this signal need not wait any more. */
  #stopOrAbort(signal: AbortSignal): AbortSignal {
    let combined = this.#combinedSignals.get(signal);
    if (!combined) {
      combined = AbortSignal.any([signal, this.#stopping.signal]);
      // A run has one signal for all of its images.
      setMaxListeners(0, signal, combined);
      this.#combinedSignals.set(signal, combined);
    }
    return combined;
  }

  /** Ends all waiting. */
  close(): void {
    clearTimeout(this.#resumeTimer);
    this.#stopping.abort(new EndpointError(this.#where, 'closed', 'is closed'));
  }

  /** One request, which has its place in the queue until its answer is put away: kill -9 loses no more than are at once. */
  async #attempt<T extends Metered>(
    send: (signal: AbortSignal) => Promise<T>,
    keep: (answer: T) => Promise<T>,
    expected: Tokens,
    attempt: number,
    signal: AbortSignal,
  ): Promise<T> {
    const cost = costOf(this.#policy.prices, { ...expected, input: Math.max(expected.input, this.#largestInput) });
    await this.#reserve(cost);
    this.usage.requests++;
    if (attempt > 1) this.usage.retried++;
    const sent = withinTime(send, this.#policy.requestSeconds, signal)
      .then((answer) => {
        this.#recordAnswer(answer.tokens, expected);
        return answer;
      })
      .finally(() => {
        this.#reserved -= cost;
      });
    const kept = sent.then(keep);
    this.#inFlight.add(kept);
    try {
      return await kept;
    } catch (error) {
      // Before the place in the queue is free for a request that should not be sent any more.
      if (error instanceof RequestFailure) this.#handleFailure(error, attempt);
      throw error;
    } finally {
      this.#inFlight.delete(kept);
    }
  }

  /** Sets aside what the request may cost, once that is within the budget beside those in flight, or ends the asking. */
  async #reserve(cost: number): Promise<void> {
    const { budget, totalSeconds } = this.#policy;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    if (totalSeconds !== undefined && seconds > totalSeconds) {
      this.#stop('time-spent', `the ${totalSeconds} seconds are over`);
    }
    while (budget !== undefined && this.usage.spend + this.#reserved + cost > budget) {
      if (this.#inFlight.size === 0) {
        this.#stop(
          'budget-spent',
          `the next request could exceed the budget of ${budget}; ${round(this.usage.spend)} is spent`,
        );
      }
      await Promise.race(this.#inFlight).catch(() => {});
    }
    this.#stopping.signal.throwIfAborted();
    // Without a turn in between: others are looking at the same budget.
    this.#reserved += cost;
  }

  #recordAnswer(tokens: Tokens | undefined, expected: Tokens): void {
    const { input, output } = tokens ?? expected;
    if (tokens) {
      this.#largestInput = Math.max(this.#largestInput, input);
      this.#tokenRate?.correct(input + output - this.#estimateTokens(expected));
    } else {
      this.usage.unmetered++;
    }
    this.#consecutiveFailures = 0;
    this.usage.answered++;
    this.usage.inputTokens += input;
    this.usage.outputTokens += output;
    this.usage.spend += costOf(this.#policy.prices, { input, output });
  }

  /** Tokens that a request probably takes. */
  #estimateTokens(expected: Tokens): number {
    const { answered, inputTokens, outputTokens } = this.usage;
    return answered === 0 ? expected.input + expected.output : Math.ceil((inputTokens + outputTokens) / answered);
  }

  /** What a failed request means for those that come after it. */
  #handleFailure({ kind, status, retryAfter, message }: RequestFailure, attempt: number): void {
    if (status === 401 || status === 403) this.#stop('credentials-refused', `${message}; check the token (HF_TOKEN)`);
    if (status === 402) this.#stop('credit-spent', message);
    if (status === 404 || status === 405 || status === 410)
      this.#stop('no-such-model', `${message}; check endpoint and model`);
    if (kind === 'network' && this.usage.answered === 0 && attempt >= ATTEMPTS_WITHOUT_SERVER) {
      this.#stop('no-server', message);
    }
    if (retryAfter === undefined) return;
    if (retryAfter > this.#policy.answerSeconds) {
      this.#stop('put-off', `${message}; the server asks for ${Math.ceil(retryAfter)} seconds of patience, go on then`);
    }
    this.#pause(retryAfter);
  }

  /** Everybody waits, since the server counts all requests together. */
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
        `${never ? 'nothing was ever answered' : `${this.#consecutiveFailures} questions in a row were not answered`}; the last time ${failure.message}`,
      ),
    );
  }

  #stop(reason: string, problem: string): never {
    const { requests, answered } = this.usage;
    const done = `after ${requests} requests, ${answered} of them answered and kept`;
    this.#stopWith(new EndpointError(this.#where, reason, `${problem} (${done})`, { ...this.usage }));
    throw this.#stopping.signal.reason;
  }

  #stopWith(error: unknown): void {
    // Only what ends a run ends the asking: one bad image is the image's own matter.
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

/** Runs what can be aborted, by the signal or after some seconds. */
async function withinTime<T>(
  run: (signal: AbortSignal) => Promise<T>,
  seconds: number,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  // One controller for both: `AbortSignal.any` and its timers would add up over millions of requests.
  const ended = new AbortController();
  const abort = () => ended.abort(signal.reason);
  const timer = setTimeout(() => {
    ended.abort(new RequestFailure('timeout', `no answer from the server within ${seconds} seconds`));
  }, seconds * 1000);
  signal.addEventListener('abort', abort);
  try {
    return await run(ended.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
