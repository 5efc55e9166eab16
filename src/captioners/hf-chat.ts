import type { InferenceClient } from '@huggingface/inference';
import { accessToken, redactor } from '../endpoints/access-token.js';
import { checkEndpointUrl } from '../endpoints/check-endpoint-url.js';
import { redactingFetch } from '../endpoints/redacting-fetch.js';
import { RequestFailure } from '../endpoints/request-failure.js';
import { EndpointError, OptionError } from '../errors.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Captioner } from '../records/ports.js';
import { chatReply } from './chat-reply.js';
import { type ModelCaptionerOptions, modelCaptioner, seedsOf } from './model-captioner.js';
import { checkResizeOptions, type ResizeOptions, resizeForModel } from './resize-for-model.js';

/** What `hfChat` is told. */
export interface HfChatOptions extends ModelCaptionerOptions, ResizeOptions {
  /** The model, as Hugging Face or the server calls it. A server of one model may be asked without. */
  readonly model?: string;
  /** An inference provider of Hugging Face (`auto`, `together`, `nebius`…); `auto` unless there is an `endpointUrl`. */
  readonly provider?: string;
  /** A server that speaks chat completion: a dedicated endpoint, vLLM, llama.cpp, TGI, Ollama, LM Studio. */
  readonly endpointUrl?: string;
  /** The organisation on Hugging Face that pays. */
  readonly billTo?: string;
  /** A file that holds the token; without it `RELFLOW_TOKEN` or `HF_TOKEN` of the environment, see `accessToken`. */
  readonly tokenFile?: string;
  /** What the model is told beside the image. */
  readonly prompt?: string;
  /** Tokens of a caption at most. Default 60. */
  readonly maxTokens?: number;
  /** More of the request's body, as the server knows it: `{ use_beam_search: true, n: 3 }` of vLLM. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

const name = 'hf-chat';
const PROMPT = 'Describe this image in one short sentence: who or what is there, and what they do.';
const OWN_PARAMETERS = ['messages', 'model', 'stream', 'seed', 'max_tokens'];
/** Many vision models take a token a square of 28 pixels. */
const PIXELS_PER_TOKEN = 28 ** 2;

/**
 * Captions by any vision-language model that speaks chat completion, by way of Hugging Face's client. One caption is
 * asked for at temperature 0; several by nucleus sampling (temperature 1, top_p 0.9), one request and one seed each.
 *
 * @throws OptionError where options do not fit together or are out of range
 */
export function hfChat(options: HfChatOptions): Captioner {
  const { model, provider, billTo, tokenFile, prompt = PROMPT, maxTokens = 60, parameters = {} } = options;
  const url = options.endpointUrl === undefined ? undefined : checkEndpointUrl(name, options.endpointUrl);
  if (url && provider !== undefined) throw new OptionError(name, 'expected provider or endpointUrl, not both');
  if (!url && !model) throw new OptionError(name, "'model' is missing, expected one, or an endpointUrl");
  if (prompt.trim() === '') throw new OptionError(name, 'prompt is empty');
  checkPositiveInteger(name, 'maxTokens', maxTokens);
  const own = OWN_PARAMETERS.find((key) => key in parameters);
  if (own !== undefined) throw new OptionError(name, `parameters have '${own}', which hfChat sets itself`);
  const size = checkResizeOptions(name, options);
  const isSampled = seedsOf(name, options).length > 1;
  const sampling = isSampled ? { temperature: 1, top_p: 0.9 } : { temperature: 0 };
  const sent = { max_tokens: maxTokens, ...sampling, ...parameters };
  let connection: Promise<Connection> | undefined;
  return modelCaptioner(
    {
      name,
      version: '1',
      // Who serves a model does not change what it says; which model a nameless server has is known by its address.
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
              // Without a name the client would send the URL as one.
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
            // Its own retries are at once and for ever.
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

/** What the client itself does not like, such as a provider that does not have the model. Its errors hold the token. */
function toEndpointError(error: unknown, redact: (text: string) => string, signal: AbortSignal): unknown {
  if (error instanceof RequestFailure || signal.aborted) return error;
  return new EndpointError(name, 'bad-request', redact((error as Error).message));
}
