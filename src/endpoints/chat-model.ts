import type { InferenceClient } from '@huggingface/inference';
import { EndpointError, OptionError } from '../errors.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import { accessToken } from './access-token.js';
import { checkEndpointUrl } from './check-endpoint-url.js';
import { redactingFetch } from './redacting-fetch.js';
import { redactor } from './redactor.js';
import { RequestFailure } from './request-failure.js';

/** Options of a model with a chat completion API. */
export interface ChatModelOptions {
  /** The model's name on Hugging Face or on the server. A server with a single model does not need it. */
  readonly model?: string;
  /**
   * An inference provider of Hugging Face (`auto`, `together`, `nebius`…). Default `auto`, unless `endpointUrl` is
   * given.
   */
  readonly provider?: string;
  /** The URL of a server with a chat completion API: a dedicated endpoint, vLLM, llama.cpp, TGI, Ollama, LM Studio. */
  readonly endpointUrl?: string;
  /** The organization on Hugging Face that pays for the requests. */
  readonly billTo?: string;
  /**
   * The file with the access token. Default: the environment variable `RELFLOW_TOKEN` or `HF_TOKEN`, see `accessToken`.
   */
  readonly tokenFile?: string;
  /**
   * The name of the request's field for `maxTokens`. Default `max_tokens`; some models accept `max_completion_tokens` only.
   * Null leaves the limit out; `maxTokens` is then only the estimate for the budget.
   */
  readonly maxTokensField?: string | null;
  /** Additional fields of the request body that the server supports, e.g. vLLM's `{ use_beam_search: true, n: 3 }`. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** A part of a message. */
export type ChatPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } };

/** A message of a conversation. */
export interface ChatMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly ChatPart[];
}

/** The answer of a server as JSON, and how its texts are quoted. */
export interface ChatCompletion {
  readonly value: unknown;
  readonly redact: (text: string) => string;
}

interface Connection {
  readonly client: InferenceClient;
  readonly fetch: typeof fetch;
  readonly redact: (text: string) => string;
}

const MAX_TOKENS = 'max_tokens';
const OWN_PARAMETERS = ['messages', 'model', 'stream', 'seed', MAX_TOKENS];
/** Many vision models use one token per square of 28 × 28 pixels. */
const PIXELS_PER_TOKEN = 28 ** 2;

/** Returns the tokens that an image of a width and height in pixels is expected to take. */
export const imageTokens = (width: number, height: number): number => (width * height) / PIXELS_PER_TOKEN;

/** A model with a chat completion API, which is called with Hugging Face's client. */
export class ChatModel {
  /** The name under which answers are stored. */
  readonly model: string;
  readonly #where: string;
  readonly #options: ChatModelOptions;
  readonly #url: URL | undefined;
  readonly #maxTokens: number;
  #connection: Promise<Connection> | undefined;

  /**
   * @param where the name of the caller in messages
   * @param maxTokens the maximum number of tokens of an answer
   * @throws OptionError if options are missing, out of range or incompatible
   */
  constructor(where: string, options: ChatModelOptions, maxTokens: number) {
    const { model, provider, endpointUrl, maxTokensField = MAX_TOKENS, parameters = {} } = options;
    const url = endpointUrl === undefined ? undefined : checkEndpointUrl(where, endpointUrl);
    if (url && provider !== undefined) throw new OptionError(where, 'expected provider or endpointUrl, not both');
    if (!url && !model)
      throw new OptionError(where, "'model' is missing, expected the name of a model or an endpointUrl");
    checkPositiveInteger(where, 'maxTokens', maxTokens);
    if (maxTokensField?.trim() === '')
      throw new OptionError(
        where,
        'maxTokensField is empty, expected the name of a field such as max_completion_tokens, or null',
      );
    const own = [...OWN_PARAMETERS, maxTokensField ?? MAX_TOKENS].find((key) => key in parameters);
    if (own !== undefined) throw new OptionError(where, `parameters have '${own}', which relflow sets itself`);
    // The server does not change the answers of a model; without a name, the server's URL identifies the model.
    this.model = model ?? url!.href;
    this.#where = where;
    this.#options = options;
    this.#url = url;
    this.#maxTokens = maxTokens;
  }

  /**
   * Returns the fields of a request that are part of the question: under whatever name the limit is sent, the answer is the
   * same.
   */
  meant(sampling: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return this.#fields(sampling, MAX_TOKENS);
  }

  /**
   * Sends one request.
   * @param fields further fields of the request, such as the temperature
   * @throws RequestFailure if the server does not answer; EndpointError if it cannot be used
   */
  async complete(
    messages: readonly ChatMessage[],
    fields: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<ChatCompletion> {
    const { model, provider, billTo, tokenFile, maxTokensField = MAX_TOKENS } = this.#options;
    this.#connection ??= connect(this.#where, tokenFile, this.#url);
    const { client, fetch, redact } = await this.#connection;
    let answer: { readonly value: unknown } | undefined;
    // The client rejects unusual completions without the server's message and tokens, so that they are read here.
    const observed: typeof globalThis.fetch = async (input, request) => {
      const response = await fetch(input, request);
      if (request?.method === 'POST') answer = { value: await response.json() };
      return response;
    };
    const completion = client.chatCompletion(
      {
        ...this.#fields(fields, maxTokensField),
        // Without a name the client would send the URL as the name.
        model: model ?? 'default',
        ...(this.#url ? { endpointUrl: this.#url.href } : { provider: (provider ?? 'auto') as 'auto' }),
        messages: messages as Parameters<InferenceClient['chatCompletion']>[0]['messages'],
      },
      // The client's own retries are immediate and unlimited.
      { fetch: observed, retry_on_error: false, signal, ...(billTo !== undefined && { billTo }) },
    );
    const value = await completion.catch((error: unknown) => {
      if (answer === undefined) throw this.#toEndpointError(withAdvice(error), redact, signal);
      return answer.value;
    });
    return { value, redact };
  }

  #fields(fields: Readonly<Record<string, unknown>>, limit: string | null): Record<string, unknown> {
    const { maxTokensField, parameters = {} } = this.#options;
    const isLimited = maxTokensField !== null && limit !== null;
    return { ...(isLimited && { [limit]: this.#maxTokens }), ...fields, ...parameters };
  }

  /** Converts an error of the client, such as an unsupported provider, whose message may contain the token. */
  #toEndpointError(error: unknown, redact: (text: string) => string, signal: AbortSignal): unknown {
    if (error instanceof RequestFailure || signal.aborted) return error;
    return new EndpointError(this.#where, 'bad-request', redact((error as Error).message));
  }
}

async function connect(where: string, tokenFile: string | undefined, url: URL | undefined): Promise<Connection> {
  const { InferenceClient } = await import('@huggingface/inference');
  const token = await accessToken(tokenFile, url);
  if (url === undefined && token === undefined)
    throw new EndpointError(
      where,
      'no-token',
      'no access token for the providers of Hugging Face; give one with --token-file or the variable RELFLOW_TOKEN or HF_TOKEN, or a server with --endpoint-url',
    );
  const redact = redactor(token);
  return { client: new InferenceClient(token), fetch: redactingFetch(token), redact };
}

/** Options for servers that do not accept a field, by what they say. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/max_completion_tokens/, '--max-tokens-field max_completion_tokens'],
  [
    /\btemperature\b.*(?:not support|unsupported|only)|unsupported.*\btemperature\b/i,
    `--parameters '{"temperature": 1}'`,
  ],
];

/** Adds the option that helps to the error of a server that does not accept a field. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof RequestFailure && error.status === 400)) return error;
  const advice = ADVICE.find(([pattern]) => pattern.test(error.message))?.[1];
  if (advice === undefined) return error;
  const { kind, message, status } = error;
  return new RequestFailure(kind, `${message} (${advice})`, { status: status! });
}
