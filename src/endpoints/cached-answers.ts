import type { Question, Reply, Tokens } from '../records/answer.js';
import type { Forecast } from '../records/ports.js';
import { type AnswerKey, AnswerStore, questionKey } from './answer-store.js';
import { defaultStoreFolder } from './default-store-folder.js';
import { type Policy, type PolicyOptions, resolvePolicy } from './policy-options.js';
import { RequestPolicy } from './request-policy.js';
import { costOf, emptyUsage, type Usage } from './usage.js';

/** How models are asked: the policy, and where the answers are kept. */
export interface CachedAnswersOptions extends PolicyOptions {
  /** Folder of the answers; see `storeFolder` for where that is without it. */
  readonly store?: string;
}

/** One answer that is wanted. */
export interface AnswerRequest {
  /** SHA-256 of what is asked about. */
  readonly subject: string;
  readonly seed: number;
  /**
   * Makes ready what is sent, where it has to be sent; the function that it gives makes one request, and throws
   * RequestFailure where that brings nothing.
   */
  readonly prepare: () => Promise<(signal: AbortSignal) => Promise<Reply>>;
}

/** From how many answers the size of the next is told. */
const SAMPLE = 500;

/** Asks one question about many subjects, and pays for no answer twice. */
export class CachedAnswers {
  readonly #question: Question;
  readonly #key: string;
  readonly #folder: string;
  readonly #policy: Policy;
  readonly #expectedTokens: Tokens;
  readonly #inFlight = new Map<string, Promise<Reply>>();
  readonly #where: string;
  #opened: Promise<AnswerStore> | null = null;
  /** For forecasts, which make no store. */
  #existing: Promise<AnswerStore | null> | null = null;
  #requests: RequestPolicy | null = null;
  /** What was asked so far. */
  readonly usage: Usage = emptyUsage();

  /**
   * @param where who asks, for messages
   * @param expectedTokens of one request: of input as far as they can be known, and of output
   * @throws OptionError where an option is out of range
   */
  constructor(where: string, question: Question, expectedTokens: Tokens, options: CachedAnswersOptions) {
    this.#question = question;
    this.#key = questionKey(question);
    this.#expectedTokens = expectedTokens;
    this.#folder = options.store ?? defaultStoreFolder();
    this.#where = where;
    this.#policy = resolvePolicy(where, options);
  }

  /** How many requests there are at once. */
  get concurrency(): number {
    return this.#policy.requestsAtOnce;
  }

  /**
   * The answer, from the store or the model.
   * @throws EndpointError where nothing is asked any more; RequestFailure where there is no answer
   */
  async answer({ subject, seed, prepare }: AnswerRequest, signal: AbortSignal): Promise<Reply> {
    const store = await this.#store();
    const key: AnswerKey = { question: this.#key, subject, seed };
    const kept = store.find(key);
    const name = `${subject} ${seed}`;
    // Two images of a data set may be the same file.
    const pending = kept ?? this.#inFlight.get(name);
    if (pending !== undefined) {
      this.usage.cached++;
      return pending;
    }
    const fetched = this.#fetch(store, key, prepare, signal).finally(() => this.#inFlight.delete(name));
    this.#inFlight.set(name, fetched);
    return fetched;
  }

  /** Keeps the name of an image, for exports. */
  async nameImage(dataset: string, id: string, subject: string): Promise<void> {
    await (await this.#store()).name({ dataset, id, subject });
  }

  /** How many answers are still to be asked for, and what they will cost; asks for nothing and makes no store. */
  async forecast(subject: string, seeds: readonly number[]): Promise<Forecast> {
    this.#existing ??= AnswerStore.openExisting(this.#folder);
    const store = await this.#existing;
    const missing = seeds.filter((seed) => !store?.find({ question: this.#key, subject, seed })).length;
    const each = (store && this.#averageOf(store)) ?? this.#expectedTokens;
    const tokens = { input: Math.round(each.input * missing), output: Math.round(each.output * missing) };
    return { answers: seeds.length, missing, tokens, cost: costOf(this.#policy.prices, tokens, missing) };
  }

  /** Gives the store back and ends all waiting; a later question opens it again. */
  async close(): Promise<void> {
    this.#requests?.close();
    this.#requests = null;
    const stores = [this.#opened, this.#existing];
    this.#opened = this.#existing = null;
    // Whoever asked has been told why there is no store.
    for (const store of stores) await (await store?.catch(() => null))?.close();
  }

  #store(): Promise<AnswerStore> {
    this.#opened ??= AnswerStore.open(this.#folder);
    return this.#opened;
  }

  async #fetch(
    store: AnswerStore,
    key: AnswerKey,
    prepare: AnswerRequest['prepare'],
    signal: AbortSignal,
  ): Promise<Reply> {
    const send = await prepare();
    this.#requests ??= new RequestPolicy(this.#where, this.#policy, this.usage);
    return this.#requests.ask<Reply>(
      send,
      async (reply) => {
        if (reply.refused || reply.text === '') this.usage.refused++;
        return store.keep(this.#question, key, { ...reply, at: new Date().toISOString() });
      },
      this.#expectedTokens,
      signal,
    );
  }

  /** What answers to this question took so far, on average. */
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
