import type { InferenceClient } from '@huggingface/inference';
import { accessToken } from '../endpoints/access-token.js';
import { checkEndpointUrl } from '../endpoints/check-endpoint-url.js';
import { redactingFetch } from '../endpoints/redacting-fetch.js';
import { redactor } from '../endpoints/redactor.js';
import { RequestFailure } from '../endpoints/request-failure.js';
import { EndpointError, OptionError } from '../errors.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Captioner } from '../records/ports.js';
import { chatReply } from './chat-reply.js';
import { captionerSeeds, type ModelCaptionerOptions, modelCaptioner } from './model-captioner.js';
import { checkResizeOptions, type ResizeOptions, resizeForModel } from './resize-for-model.js';

/** Options of `hfChat`. */
export interface HfChatOptions extends ModelCaptionerOptions, ResizeOptions {
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
  /** The instruction that is sent with the image. Default: a request for one short sentence. */
  readonly prompt?: string;
  /** The maximum number of tokens of a caption. Default 60. */
  readonly maxTokens?: number;
  /**
   * The name of the request's field for `maxTokens`. Default `max_tokens`; some models accept `max_completion_tokens` only.
   * Null leaves the limit out; `maxTokens` is then only the estimate for the budget.
   */
  readonly maxTokensField?: string | null;
  /** Additional fields of the request body that the server supports, e.g. vLLM's `{ use_beam_search: true, n: 3 }`. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

const name = 'hf-chat';
const PROMPT = 'Describe this image in one short sentence: who or what is there, and what they do.';
const MAX_TOKENS = 'max_tokens';
const OWN_PARAMETERS = ['messages', 'model', 'stream', 'seed', MAX_TOKENS];
/** Many vision models use one token per square of 28 × 28 pixels. */
const PIXELS_PER_TOKEN = 28 ** 2;

/**
 * Returns a captioner that calls any vision-language model with a chat completion API, using Hugging Face's client. One
 * caption is requested at temperature 0; several captions by nucleus sampling (temperature 1, top_p 0.9), with one
 * request and one seed each. An answer with several choices, as for `parameters: { n: 3 }`, gives a caption each.
 *
 * @throws OptionError if options are missing, out of range or incompatible
 *
 * @example
 * ```ts
 * import { caption, hfChat } from 'relflow';
 *
 * const hosted = hfChat({
 *   model: 'Qwen/Qwen2.5-VL-7B-Instruct',
 *   images: 'train2017',
 *   nCaptions: 10,
 *   prices: { input: 0.2, output: 0.2 },
 *   budget: 25,
 * });
 * const local = hfChat({ endpointUrl: 'http://127.0.0.1:8000', images: 'train2017' });
 * const operator = caption(local);
 * ```
 */
export function hfChat(options: HfChatOptions): Captioner {
  const { model, provider, billTo, tokenFile, prompt = PROMPT, maxTokens = 60, parameters = {} } = options;
  const { maxTokensField = MAX_TOKENS } = options;
  const url = options.endpointUrl === undefined ? undefined : checkEndpointUrl(name, options.endpointUrl);
  if (url && provider !== undefined) throw new OptionError(name, 'expected provider or endpointUrl, not both');
  if (!url && !model) throw new OptionError(name, "'model' is missing, expected the name of a model or an endpointUrl");
  if (prompt.trim() === '') throw new OptionError(name, 'prompt is empty, expected an instruction for the model');
  checkPositiveInteger(name, 'maxTokens', maxTokens);
  if (maxTokensField?.trim() === '')
    throw new OptionError(
      name,
      'maxTokensField is empty, expected the name of a field such as max_completion_tokens, or null',
    );
  const own = [...OWN_PARAMETERS, maxTokensField ?? MAX_TOKENS].find((key) => key in parameters);
  if (own !== undefined) throw new OptionError(name, `parameters have '${own}', which hfChat sets itself`);
  const size = checkResizeOptions(name, options);
  const isSampled = captionerSeeds(name, options).length > 1;
  const sampling = isSampled ? { temperature: 1, top_p: 0.9 } : { temperature: 0 };
  const common = { ...sampling, ...parameters };
  const sent = { ...(maxTokensField !== null && { [maxTokensField]: maxTokens }), ...common };
  // Under whatever name the limit is sent, the answer is the same.
  const meant = { ...(maxTokensField !== null && { [MAX_TOKENS]: maxTokens }), ...common };
  const choices = Number.isSafeInteger(parameters['n']) ? Math.max(1, Number(parameters['n'])) : 1;
  let connection: Promise<Connection> | undefined;
  return modelCaptioner(
    {
      name,
      version: '1',
      // The server does not change the answers of a model; without a name, the server's URL identifies the model.
      question: { protocol: name, model: model ?? url!.href, prompt, parameters: { ...meant, image: size } },
      expectedTokens: {
        input: Math.ceil(size.side ** 2 / PIXELS_PER_TOKEN + prompt.length / 3),
        output: maxTokens * choices,
      },
      prepare: async (image, file) => {
        const { bytes, mime } = await resizeForModel(name, file, image, size);
        const data = `data:${mime};base64,${bytes.toString('base64')}`;
        connection ??= connect(tokenFile, url);
        const { client, fetch, redact } = await connection;
        return async (seed, signal) => {
          let answer: { readonly value: unknown } | undefined;
          // The client rejects unusual completions without the server's message and tokens, so that they are read here.
          const observed: typeof globalThis.fetch = async (input, request) => {
            const response = await fetch(input, request);
            if (request?.method === 'POST') answer = { value: await response.json() };
            return response;
          };
          const completion = client.chatCompletion(
            {
              ...sent,
              ...(isSampled && { seed }),
              // Without a name the client would send the URL as the name.
              model: model ?? 'default',
              ...(url ? { endpointUrl: url.href } : { provider: (provider ?? 'auto') as 'auto' }),
              messages: [
                {
                  role: 'user',
                  content: [
                    { type: 'image_url', image_url: { url: data } },
                    { type: 'text', text: prompt },
                  ],
                },
              ],
            },
            // The client's own retries are immediate and unlimited.
            { fetch: observed, retry_on_error: false, signal, ...(billTo !== undefined && { billTo }) },
          );
          const value = await completion.catch((error: unknown) => {
            if (answer === undefined) throw toEndpointError(withAdvice(error), redact, signal);
            return answer.value;
          });
          return chatReply(value, redact);
        };
      },
    },
    options,
  );
}

interface Connection {
  readonly client: InferenceClient;
  readonly fetch: typeof fetch;
  readonly redact: (text: string) => string;
}

async function connect(tokenFile: string | undefined, url: URL | undefined): Promise<Connection> {
  const { InferenceClient } = await import('@huggingface/inference');
  const token = await accessToken(tokenFile, url);
  const redact = redactor(token);
  return { client: new InferenceClient(token), fetch: redactingFetch(token), redact };
}

/** Adds the option that renames the limit to the error of a server that does not accept its name. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof RequestFailure && error.status === 400 && /max_completion_tokens/.test(error.message)))
    return error;
  const { kind, message, status } = error;
  return new RequestFailure(kind, `${message} (--max-tokens-field max_completion_tokens)`, { status: status! });
}

/** Converts an error of the client, such as an unsupported provider, whose message may contain the token. */
function toEndpointError(error: unknown, redact: (text: string) => string, signal: AbortSignal): unknown {
  if (error instanceof RequestFailure || signal.aborted) return error;
  return new EndpointError(name, 'bad-request', redact((error as Error).message));
}
