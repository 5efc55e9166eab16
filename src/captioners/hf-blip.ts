import { accessToken } from '../endpoints/access-token.js';
import { checkEndpointUrl } from '../endpoints/check-endpoint-url.js';
import { generatedText } from '../endpoints/generated-text.js';
import { postJson } from '../endpoints/post-json.js';
import { redactor } from '../endpoints/redactor.js';
import { OptionError } from '../errors.js';
import type { Captioner } from '../records/ports.js';
import { captionerSeeds, type ModelCaptionerOptions, modelCaptioner } from './model-captioner.js';
import { checkResizeOptions, type ResizeOptions, resizeForModel } from './resize-for-model.js';

/** Options of `hfBlip`. */
export interface HfBlipOptions extends ModelCaptionerOptions, ResizeOptions {
  /**
   * The URL of a dedicated endpoint of Hugging Face for the task image-to-text, or of a server with the same protocol.
   */
  readonly endpointUrl: string;
  /**
   * The name of the model, for the store and the `source` of captions. Default
   * `Salesforce/blip-image-captioning-large`.
   */
  readonly model?: string;
  /**
   * The file with the access token. Default: the environment variable `RELFLOW_TOKEN` or `HF_TOKEN`, see `accessToken`.
   */
  readonly tokenFile?: string;
  /** Additional arguments of the model's `generate`; they override those that are sent by default. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

const name = 'hf-blip';
const LENGTH = { max_length: 20, min_length: 5 };
const BEAMS = { ...LENGTH, num_beams: 3, do_sample: false };
const NUCLEUS = { ...LENGTH, num_beams: 1, do_sample: true, top_p: 0.9, repetition_penalty: 1.1 };

/**
 * Returns a captioner that calls a BLIP endpoint with the generation parameters of RLIPv2: one caption with 3 beams,
 * several captions by nucleus sampling; 5 to 20 tokens. The request is
 * `{ inputs: base64, parameters: { generate_kwargs } }`, as the pipeline of an endpoint expects. `generate` has no
 * seed, so sampled captions can only be reproduced from the store.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: RLIPv2, BLIP_for_RLIPv2/models/blip.py (beams 3, lengths 5 and 20, top_p 0.9, repetition penalty 1.1)
 *
 * @example
 * ```ts
 * import { caption, hfBlip } from 'relflow';
 *
 * const operator = caption(
 *   hfBlip({ endpointUrl: 'https://example.endpoints.huggingface.cloud', images: 'train2017', nCaptions: 10 }),
 * );
 * ```
 */
export function hfBlip(options: HfBlipOptions): Captioner {
  const { model = 'Salesforce/blip-image-captioning-large', tokenFile, parameters = {} } = options;
  if (!options.endpointUrl)
    throw new OptionError(name, "'endpointUrl' is missing, expected the URL of a BLIP endpoint");
  const url = checkEndpointUrl(name, options.endpointUrl);
  const size = checkResizeOptions(name, options);
  const generation = { ...(captionerSeeds(name, options).length > 1 ? NUCLEUS : BEAMS), ...parameters };
  let token: Promise<string | undefined> | undefined;
  return modelCaptioner(
    {
      name,
      version: '1',
      question: { protocol: name, model, prompt: '', parameters: { ...generation, image: size } },
      expectedTokens: { input: 0, output: LENGTH.max_length },
      prepare: async (image, file) => {
        const { bytes } = await resizeForModel(name, file, image, size);
        token ??= accessToken(tokenFile, url);
        const secret = await token;
        const body = JSON.stringify({
          inputs: bytes.toString('base64'),
          parameters: { generate_kwargs: generation },
        });
        return async (_seed, signal) => ({
          text: generatedText(await postJson(url, body, { token: secret, signal }), redactor(secret)),
        });
      },
    },
    options,
  );
}
