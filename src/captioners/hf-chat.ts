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
  /** Additional fields of the request body that the server supports, e.g. vLLM's `{ use_beam_search: true, n: 3 }`. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

const name = 'hf-chat';
const PROMPT = 'Describe this image in one short sentence: who or what is there, and what they do.';
const OWN_PARAMETERS = ['messages', 'model', 'stream', 'seed', 'max_tokens'];
/** Many vision models use one token per square of 28 × 28 pixels. */
const PIXELS_PER_TOKEN = 28 ** 2;

/**
 * Returns a captioner that calls any vision-language model with a chat completion API, using Hugging Face's client. One
 * caption is requested at temperature 0; several captions by nucleus sampling (temperature 1, top_p 0.9), with one
 * request and one seed each.
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
  const url = options.endpointUrl === undefined ? undefined : checkEndpointUrl(name, options.endpointUrl);
  if (url && provider !== undefined) throw new OptionError(name, 'expected provider or endpointUrl, not both');
  if (!url && !model) throw new OptionError(name, "'model' is missing, expected the name of a model or an endpointUrl");
  if (prompt.trim() === '') throw new OptionError(name, 'prompt is empty, expected an instruction for the model');
  checkPositiveInteger(name, 'maxTokens', maxTokens);
  const own = OWN_PARAMETERS.find((key) => key in parameters);
  if (own !== undefined) throw new OptionError(name, `parameters have '${own}', which hfChat sets itself`);
  const size = checkResizeOptions(name, options);
  const isSampled = captionerSeeds(name, options).length > 1;
  const sampling = isSampled ? { temperature: 1, top_p: 0.9 } : { temperature: 0 };
  const sent = { max_tokens: maxTokens, ...sampling, ...parameters };
  let connection: Promise<Connection> | undefined;
  return modelCaptioner(
    {
      name,
      version: '1',
      // The server does not change the answers of a model; without a name, the server's URL identifies the model.
      question: { protocol: name, model: model ?? url!.href, prompt, parameters: { ...sent, image: size } },
      expectedTokens: { input: Math.ceil(size.side ** 2 / PIXELS_PER_TOKEN + prompt.length / 3), output: maxTokens },
      prepare: async (image, file) => {
        const { bytes, mime } = await resizeForModel(name, file, image, size);
        const data = `data:${mime};base64,${bytes.toString('base64')}`;
        connection ??= connect(tokenFile, url);
        const { client, fetch, redact } = await connection;
        return async (seed, signal) => {
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
            { fetch, retry_on_error: false, signal, ...(billTo !== undefined && { billTo }) },
          );
          return chatReply(
            await completion.catch((error: unknown) => Promise.reject(toEndpointError(error, redact, signal))),
          );
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
  return { client: new InferenceClient(token), fetch: redactingFetch(redact), redact };
}

/** Converts an error of the client, such as an unsupported provider, whose message may contain the token. */
function toEndpointError(error: unknown, redact: (text: string) => string, signal: AbortSignal): unknown {
  if (error instanceof RequestFailure || signal.aborted) return error;
  return new EndpointError(name, 'bad-request', redact((error as Error).message));
}
