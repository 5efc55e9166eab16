import type { Question, Reply, Tokens } from '../records/answer.js';
import type { Forecast } from '../records/ports.js';
import type { AnswerKey } from './answer-key.js';
import { AnswerStore } from './answer-store.js';
import { captionsOfReply } from './captions-of-reply.js';
import { defaultStoreFolder } from './default-store-folder.js';
import { type Policy, type PolicyOptions, resolvePolicy } from './policy-options.js';
import { costOf } from './prices.js';
import { questionKey } from './question-key.js';
import { RequestPolicy } from './request-policy.js';
import { emptyUsage, type Usage } from './usage.js';

/** Options of requests to a model: the request policy and the answer store. */
export interface CachedAnswersOptions extends PolicyOptions {
  /** The folder of the answer store. Default: `defaultStoreFolder()`. */
  readonly store?: string;
}

/** A request for one answer. */
export interface AnswerRequest {
  /** The SHA-256 of the image or text that the question is about. */
  readonly subject: string;
  readonly seed: number;
  /** The expected tokens of this request, if it differs from others. */
  readonly expected?: Tokens;
  /**
   * Prepares the request if the answer is not cached. The returned function sends one request and throws a
   * RequestFailure if it gets no usable answer.
   */
  readonly prepare: () => Promise<(signal: AbortSignal) => Promise<Reply>>;
}

/** The number of answers over which tokens are averaged for forecasts. */
const SAMPLE = 500;

/**
 * Answers one question about many subjects, from the answer store or the model, so that no answer is paid for twice.
 */
export class CachedAnswers {
  readonly #question: Question;
  readonly #key: string;
  readonly #folder: string;
  readonly #policy: Policy;
  readonly #expectedTokens: Tokens;
  readonly #inFlight = new Map<string, Promise<Reply>>();
  readonly #where: string;
  #opened: Promise<AnswerStore> | null = null;
  /** The store for forecasts, which do not create one. */
  #existing: Promise<AnswerStore | null> | null = null;
  #requests: RequestPolicy | null = null;
  /** Counters of the requests so far. */
  readonly usage: Usage = emptyUsage();

  /**
   * @param where the name of the caller in messages
   * @param expectedTokens the expected tokens of one request: an estimate of the input and the maximum of the output
   * @throws OptionError if an option is out of range
   */
  constructor(where: string, question: Question, expectedTokens: Tokens, options: CachedAnswersOptions) {
    this.#question = question;
    this.#key = questionKey(question);
    this.#expectedTokens = expectedTokens;
    this.#folder = options.store ?? defaultStoreFolder();
    this.#where = where;
    this.#policy = resolvePolicy(where, options);
  }

  /** The maximum number of requests in flight. */
  get concurrency(): number {
    return this.#policy.requestsAtOnce;
  }

  /**
   * Returns an answer from the store or the model.
   * @throws EndpointError if no more requests are sent; RequestFailure if the model did not answer
   */
  async answer({ subject, seed, expected, prepare }: AnswerRequest, signal: AbortSignal): Promise<Reply> {
    const store = await this.#store();
    const key: AnswerKey = { question: this.#key, subject, seed };
    const kept = store.find(key);
    const name = `${subject} ${seed}`;
    // Two images of a data set may be the same file, so that the same answer may already be in flight.
    const pending = kept ?? this.#inFlight.get(name);
    if (pending !== undefined) {
      this.usage.cached++;
      return pending;
    }
    const fetched = this.#fetch(store, key, { prepare, expected: expected ?? this.#expectedTokens }, signal).finally(
      () => this.#inFlight.delete(name),
    );
    this.#inFlight.set(name, fetched);
    return fetched;
  }

  /** Stores the name of an image, for exports. */
  async nameImage(dataset: string, id: string, subject: string): Promise<void> {
    await (await this.#store()).nameImage({ dataset, id, subject });
  }

  /** Estimates the missing answers and their cost, without sending a request or creating a store. */
  async forecast(subject: string, seeds: readonly number[]): Promise<Forecast> {
    const found = await Promise.all(seeds.map((seed) => this.stored(subject, seed)));
    const missing = found.filter((reply) => reply === undefined).length;
    const store = await this.#existing;
    const each = (store && this.#averageOf(store)) ?? this.#expectedTokens;
    return this.priced(seeds.length, missing, { input: each.input * missing, output: each.output * missing });
  }

  /** Returns a forecast of answers, of which some are missing and take these tokens in total. */
  priced(answers: number, missing: number, { input, output }: Tokens): Forecast {
    const tokens = { input: Math.round(input), output: Math.round(output) };
    return { answers, missing, tokens, cost: costOf(this.#policy.prices, tokens, missing) };
  }

  /** Returns an answer if the store has it, without creating a store. */
  async stored(subject: string, seed: number): Promise<Reply | undefined> {
    this.#existing ??= AnswerStore.openExisting(this.#folder);
    return (await this.#existing)?.find({ question: this.#key, subject, seed });
  }

  /** Closes the store and rejects waiting requests; a later `answer` opens the store again. */
  async close(): Promise<void> {
    this.#requests?.close();
    this.#requests = null;
    const stores = [this.#opened, this.#existing];
    this.#opened = this.#existing = null;
    // `answer` or `forecast` has already reported why a store could not be opened.
    for (const store of stores) await (await store?.catch(() => null))?.close();
  }

  #store(): Promise<AnswerStore> {
    this.#opened ??= AnswerStore.open(this.#folder);
    return this.#opened;
  }

  async #fetch(
    store: AnswerStore,
    key: AnswerKey,
    { prepare, expected }: Required<Pick<AnswerRequest, 'prepare' | 'expected'>>,
    signal: AbortSignal,
  ): Promise<Reply> {
    const send = await prepare();
    this.#requests ??= new RequestPolicy(this.#where, this.#policy, this.usage);
    return this.#requests.ask<Reply>(
      send,
      async (reply) => {
        if (captionsOfReply(reply).texts.length === 0) this.usage.refused++;
        return store.add(this.#question, key, { ...reply, at: new Date().toISOString() });
      },
      expected,
      signal,
    );
  }

  /** Returns the average tokens of the stored answers to the question; null if there are none. */
  #averageOf(store: AnswerStore): Tokens | null {
    if (this.#average !== undefined) return this.#average;
    const sum = { input: 0, output: 0 };
    let count = 0;
    for (const { reply } of store.answers(this.#key)) {
      if (!reply.tokens) continue;
      sum.input += reply.tokens.input;
      sum.output += reply.tokens.output;
      if (++count === SAMPLE) break;
    }
    this.#average = count === 0 ? null : { input: sum.input / count, output: sum.output / count };
    return this.#average;
  }
  #average: Tokens | null | undefined;
}
