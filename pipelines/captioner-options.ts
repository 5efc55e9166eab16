import { flagName } from '../src/graph/recipe.js';
import {
  type Captioner,
  captionFile,
  hfBlip,
  hfChat,
  OptionError,
  type Static,
  Type,
  transformersJs,
} from '../src/index.js';
import { type EndpointOptions, endpointPolicy, given } from './endpoint-options.js';

/** Options of every pipeline that may have its images captioned. */
export const captionerOptions = {
  captions: Type.Optional(
    Type.String({ description: 'captions, COCO form or {"image id": ["caption", …]}; a path or glob' }),
  ),
  maxCaptions: Type.Optional(Type.Integer({ minimum: 1, description: 'at most so many of an image’s --captions' })),
  captioner: Type.Optional(
    Type.String({ description: 'a model instead of --captions: hf-chat, hf-blip, transformers-js' }),
  ),
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
  models: Type.Optional(Type.String({ description: 'transformers-js: folder of models on this machine' })),
  dtype: Type.Optional(Type.String({ description: 'transformers-js: fp32, fp16, q8…' })),
  device: Type.Optional(Type.String({ description: 'transformers-js: cpu (default), cuda…' })),
  parameters: Type.Optional(Type.String({ description: 'more of the request, as JSON: {"use_beam_search":true}' })),
  side: Type.Optional(
    Type.Integer({ minimum: 1, description: 'longest side of the image that is sent (default: 512)' }),
  ),
  quality: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'its JPEG quality (default: 85)' })),
};

type CaptionerOptions = Static<ReturnType<typeof Type.Object<typeof captionerOptions>>> &
  EndpointOptions & {
    /** The image folder, where there is one. */
    readonly images?: string;
  };

type OptionName = keyof typeof captionerOptions;

/** Which options each captioner takes. */
const TAKES: Readonly<Record<string, readonly OptionName[]>> = {
  'hf-chat': ['model', 'provider', 'endpointUrl', 'billTo', 'prompt', 'maxTokens', 'parameters'],
  'hf-blip': ['model', 'endpointUrl', 'parameters'],
  'transformers-js': ['model', 'models', 'dtype', 'device', 'maxTokens'],
};
const ALL_TAKE: readonly OptionName[] = ['captioner', 'nCaptions', 'firstSeed', 'side', 'quality'];

/**
 * The captioner that the options name.
 * @param where the pipeline, for messages
 * @throws OptionError where options do not fit together
 */
export function captionerOf(where: string, options: CaptionerOptions): Captioner {
  const { captioner, captions, maxCaptions, images, endpointUrl, model } = options;
  const takes = captioner === undefined ? undefined : TAKES[captioner];
  if (captioner !== undefined && !takes) {
    const names = Object.keys(TAKES).join(', ');
    throw new OptionError(where, `unknown captioner '${captioner}', expected one of ${names}`);
  }
  if (captioner !== undefined && captions !== undefined) {
    throw new OptionError(where, 'expected one of --captions, --captioner and --parsed');
  }
  const taken = takes ? [...ALL_TAKE, ...takes] : ['captions', 'maxCaptions'];
  const idle = (Object.keys(captionerOptions) as OptionName[]).find(
    (key) => options[key] !== undefined && !taken.includes(key),
  );
  if (idle !== undefined) {
    const without = captioner === undefined ? 'without --captioner' : `with --captioner ${captioner}`;
    throw new OptionError(where, `--${flagName(idle)} is of no use ${without}`);
  }
  if (captioner === undefined) {
    if (captions === undefined) throw new OptionError(where, 'expected one of --captions, --captioner and --parsed');
    return captionFile({ captions, ...(maxCaptions && { maxCaptions }) });
  }
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
  if (captioner === 'transformers-js') {
    if (model === undefined) throw new OptionError(where, `--captioner ${captioner} needs --model`);
    return transformersJs({ ...common, model, ...given(options, ['models', 'dtype', 'device', 'maxTokens']) });
  }
  if (endpointUrl === undefined) throw new OptionError(where, `--captioner ${captioner} needs --endpoint-url`);
  return hfBlip({ ...common, endpointUrl });
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
