import Type from 'typebox';
import { type Captioner, captionFile, hfBlip, hfChat, OptionError } from '../src/index.js';

/** How an endpoint is asked, whatever is asked of it. Defaults are those of the API. */
const endpointOptions = {
  requestsAtOnce: Type.Optional(Type.Integer({ minimum: 1, description: 'requests at once (default: 8)' })),
  requestsPerMinute: Type.Optional(Type.Integer({ minimum: 1, description: 'at most so many requests a minute' })),
  tokensPerMinute: Type.Optional(Type.Integer({ minimum: 1, description: 'at most so many tokens a minute' })),
  retries: Type.Optional(
    Type.Integer({ minimum: 0, description: 'how often a failed request is sent again (default: 10)' }),
  ),
  requestSeconds: Type.Optional(
    Type.Number({ minimum: 1, maximum: 300, description: 'time limit of a request (default: 120)' }),
  ),
  answerSeconds: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, description: 'time limit of an answer, retries included (default: 900)' }),
  ),
  totalSeconds: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'ask no more after so many seconds' })),
  priceInput: Type.Optional(Type.Number({ minimum: 0, description: 'price of a million tokens of input' })),
  priceOutput: Type.Optional(Type.Number({ minimum: 0, description: 'price of a million tokens of output' })),
  priceRequest: Type.Optional(Type.Number({ minimum: 0, description: 'price of an answered request' })),
  budget: Type.Optional(Type.Number({ minimum: 0, description: 'ask no more once this is spent, at those prices' })),
  store: Type.Optional(
    Type.String({
      description: 'folder of the answers that were paid for (default: RELFLOW_STORE, or the user’s own)',
    }),
  ),
  tokenFile: Type.Optional(
    Type.String({ description: 'file of the access token (default: RELFLOW_TOKEN or HF_TOKEN of the environment)' }),
  ),
};

/** Options of every pipeline that may have its images captioned. */
export const captionerOptions = {
  captions: Type.Optional(
    Type.String({ description: 'captions, COCO form or {"image id": ["caption", …]}; a path or glob' }),
  ),
  maxCaptions: Type.Optional(Type.Integer({ minimum: 1, description: 'at most so many of an image’s --captions' })),
  captioner: Type.Optional(Type.String({ description: 'a model instead of --captions: hf-chat, hf-blip' })),
  model: Type.Optional(Type.String({ description: 'the captioner’s model' })),
  provider: Type.Optional(Type.String({ description: 'hf-chat: inference provider of Hugging Face (default: auto)' })),
  endpointUrl: Type.Optional(Type.String({ description: 'the captioner’s server, instead of a provider' })),
  billTo: Type.Optional(Type.String({ description: 'organisation on Hugging Face that pays' })),
  nCaptions: Type.Optional(
    Type.Integer({ minimum: 1, description: 'captions an image: 1 (default) the best one, more are sampled' }),
  ),
  firstSeed: Type.Optional(Type.Integer({ minimum: 0, description: 'seed of the first sampled caption (default: 0)' })),
  prompt: Type.Optional(Type.String({ description: 'what hf-chat tells the model' })),
  maxTokens: Type.Optional(Type.Integer({ minimum: 1, description: 'hf-chat: tokens of a caption (default: 60)' })),
  parameters: Type.Optional(Type.String({ description: 'more of the request, as JSON: {"use_beam_search":true}' })),
  side: Type.Optional(
    Type.Integer({ minimum: 1, description: 'longest side of the image that is sent (default: 512)' }),
  ),
  quality: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'its JPEG quality (default: 85)' })),
  ...endpointOptions,
};

type EndpointOptions = Type.Static<ReturnType<typeof Type.Object<typeof endpointOptions>>>;
type CaptionerOptions = Type.Static<ReturnType<typeof Type.Object<typeof captionerOptions>>> & {
  /** The image folder, where there is one. */
  readonly images?: string;
};

const MODELS = ['hf-chat', 'hf-blip'];

/**
 * The captioner that the options name.
 * @param where the pipeline, for messages
 * @throws OptionError where options do not fit together
 */
export function captionerOf(where: string, options: CaptionerOptions): Captioner {
  const { captioner, captions, maxCaptions, images, endpointUrl } = options;
  if (captioner === undefined) {
    if (captions === undefined) throw new OptionError(where, 'expected one of --captions, --captioner and --parsed');
    return captionFile({ captions, ...(maxCaptions && { maxCaptions }) });
  }
  if (!MODELS.includes(captioner)) {
    throw new OptionError(where, `unknown captioner '${captioner}', expected one of ${MODELS.join(', ')}`);
  }
  if (captions !== undefined) throw new OptionError(where, 'expected either --captions or --captioner');
  if (images === undefined) throw new OptionError(where, `--captioner ${captioner} needs --images, the image folder`);
  const common = {
    images,
    ...endpointPolicy(options),
    ...given(options, ['model', 'nCaptions', 'firstSeed', 'side', 'quality']),
    ...(options.parameters !== undefined && { parameters: jsonObject(where, options.parameters) }),
  };
  if (captioner === 'hf-chat') {
    return hfChat({ ...common, ...given(options, ['provider', 'endpointUrl', 'billTo', 'prompt', 'maxTokens']) });
  }
  if (endpointUrl === undefined) throw new OptionError(where, `--captioner ${captioner} needs --endpoint-url`);
  return hfBlip({ ...common, endpointUrl });
}

/** How an endpoint is asked, as the API takes it. */
export function endpointPolicy(options: EndpointOptions) {
  const { priceInput: input, priceOutput: output, priceRequest: request, ...policy } = options;
  return {
    prices: given({ input, output, request }, ['input', 'output', 'request']),
    ...given(policy, Object.keys(endpointOptions).filter((key) => !key.startsWith('price')) as (keyof typeof policy)[]),
  };
}

/** Those of the options that were given. */
function given<T extends object, K extends keyof T>(
  options: T,
  keys: readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(keys.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]]))) as {
    [P in K]?: Exclude<T[P], undefined>;
  };
}

function jsonObject(where: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new OptionError(where, `--parameters ${text}, expected a JSON object`);
}
