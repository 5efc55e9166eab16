import { accessToken, redactor } from '../endpoints/access-token.js';
import { checkEndpointUrl } from '../endpoints/check-endpoint-url.js';
import { generatedText, postJson } from '../endpoints/post-json.js';
import { OptionError } from '../errors.js';
import type { Captioner } from '../records/ports.js';
import { type ModelCaptionerOptions, modelCaptioner, seedsOf } from './model-captioner.js';
import { checkResizeOptions, type ResizeOptions, resizeForModel } from './resize-for-model.js';

/** What `hfBlip` is told. */
export interface HfBlipOptions extends ModelCaptionerOptions, ResizeOptions {
  /** A dedicated endpoint of Hugging Face for the task image-to-text, or a server that speaks as it does. */
  readonly endpointUrl: string;
  /** Which model it is, for the store and the captions' source. Default `Salesforce/blip-image-captioning-large`. */
  readonly model?: string;
  /** A file that holds the token; without it `RELFLOW_TOKEN` or `HF_TOKEN` of the environment, see `accessToken`. */
  readonly tokenFile?: string;
  /** More of what the model's `generate` takes, or other values for what is sent. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

const name = 'hf-blip';
const LENGTH = { max_length: 20, min_length: 5 };
const BEAMS = { ...LENGTH, num_beams: 3, do_sample: false };
const NUCLEUS = { ...LENGTH, num_beams: 1, do_sample: true, top_p: 0.9, repetition_penalty: 1.1 };

/**
 * Captions by a BLIP endpoint with the generation of RLIPv2: one caption by 3 beams, several by nucleus sampling; 5 to 20
 * tokens. The request is `{ inputs: base64, parameters: { generate_kwargs } }`, as the pipeline of an endpoint takes it.
 * `generate` takes no seed, so sampled captions can't be had a second time, other than from the store.
 *
 * @throws OptionError where an option is missing or out of range
 * Source: RLIPv2, BLIP_for_RLIPv2/models/blip.py (beams 3, lengths 5 and 20, top_p 0.9, repetition penalty 1.1)
 */
export function hfBlip(options: HfBlipOptions): Captioner {
  const { model = 'Salesforce/blip-image-captioning-large', tokenFile, parameters = {} } = options;
  if (!options.endpointUrl) throw new OptionError(name, "'endpointUrl' is missing, expected that of a BLIP endpoint");
  const url = checkEndpointUrl(name, options.endpointUrl);
  const size = checkResizeOptions(name, options);
  const generation = { ...(seedsOf(name, options).length > 1 ? NUCLEUS : BEAMS), ...parameters };
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
          text: generatedText(await postJson(url, body, { token: secret, redact: redactor(secret), signal })),
        });
      },
    },
    options,
  );
}
