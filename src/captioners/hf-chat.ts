import { type ChatMessage, ChatModel, type ChatModelOptions, imageTokens } from '../endpoints/chat-model.js';
import { chatReply } from '../endpoints/chat-reply.js';
import { OptionError } from '../errors.js';
import type { Captioner } from '../records/ports.js';
import { captionerSeeds, type ModelCaptionerOptions, modelCaptioner } from './model-captioner.js';
import { checkResizeOptions, dataUrl, type ResizeOptions, resizeForModel } from './resize-for-model.js';

/** Options of `hfChat`. */
export interface HfChatOptions extends ModelCaptionerOptions, ChatModelOptions, ResizeOptions {
  /** The instruction that is sent with the image. Default: a request for one short sentence. */
  readonly prompt?: string;
  /** The maximum number of tokens of a caption. Default 60. */
  readonly maxTokens?: number;
}

const name = 'hf-chat';
const PROMPT = 'Describe this image in one short sentence: who or what is there, and what they do.';

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
  const { prompt = PROMPT, maxTokens = 60, parameters = {} } = options;
  const chat = new ChatModel(name, options, maxTokens);
  if (prompt.trim() === '') throw new OptionError(name, 'prompt is empty, expected an instruction for the model');
  const size = checkResizeOptions(name, options);
  const isSampled = captionerSeeds(name, options).length > 1;
  const sampling = isSampled ? { temperature: 1, top_p: 0.9 } : { temperature: 0 };
  const choices = Number.isSafeInteger(parameters['n']) ? Math.max(1, Number(parameters['n'])) : 1;
  return modelCaptioner(
    {
      name,
      version: '1',
      question: { protocol: name, model: chat.model, prompt, parameters: { ...chat.meant(sampling), image: size } },
      expectedTokens: {
        input: Math.ceil(imageTokens(size.side, size.side) + prompt.length / 3),
        output: maxTokens * choices,
      },
      prepare: async (image, file) => {
        const url = dataUrl(await resizeForModel(name, file, image, size));
        const messages: ChatMessage[] = [
          {
            role: 'user',
            content: [
              { type: 'image_url', image_url: { url } },
              { type: 'text', text: prompt },
            ],
          },
        ];
        return async (seed, signal) => {
          const { value, redact } = await chat.complete(messages, { ...sampling, ...(isSampled && { seed }) }, signal);
          return chatReply(value, redact);
        };
      },
    },
    options,
  );
}
