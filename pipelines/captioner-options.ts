import { recipeFlagName } from '../src/graph/recipe.js';
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
import { inGroup, MAIN } from './option-groups.js';

/** Options of every pipeline that can caption its images. */
export const captionerOptions = inGroup('Captions', {
  captions: Type.Optional(
    Type.String({
      group: MAIN,
      argument: 'files',
      description: 'captions by image id or file: COCO, JSON, JSON lines or CSV; a path or glob',
    }),
  ),
  maxCaptions: Type.Optional(
    Type.Integer({ minimum: 1, description: 'maximum number of captions per image from --captions' }),
  ),
  captioner: Type.Optional(
    Type.String({
      group: MAIN,
      enum: ['hf-chat', 'hf-blip', 'transformers-js'],
      description: 'model that writes the captions, instead of --captions',
    }),
  ),
  model: Type.Optional(Type.String({ argument: 'name', description: 'model of the captioner' })),
  provider: Type.Optional(
    Type.String({ argument: 'name', description: 'hf-chat: inference provider of Hugging Face (default: auto)' }),
  ),
  endpointUrl: Type.Optional(
    Type.String({ argument: 'url', description: 'address of the captioner’s server, instead of --provider' }),
  ),
  billTo: Type.Optional(Type.String({ argument: 'name', description: 'organization on Hugging Face that is billed' })),
  nCaptions: Type.Optional(
    Type.Integer({
      minimum: 1,
      description: 'captions per image: 1 (default) is the most likely one, more are sampled',
    }),
  ),
  firstSeed: Type.Optional(Type.Integer({ minimum: 0, description: 'seed of the first sampled caption (default: 0)' })),
  prompt: Type.Optional(Type.String({ argument: 'text', description: 'hf-chat: the prompt' })),
  maxTokens: Type.Optional(
    Type.Integer({ minimum: 1, description: 'maximum number of tokens of a caption (default: 60)' }),
  ),
  maxTokensField: Type.Optional(
    Type.String({
      argument: 'name',
      description:
        'hf-chat: request field of --max-tokens: max_tokens (default), max_completion_tokens…; none leaves it out',
    }),
  ),
  models: Type.Optional(Type.String({ argument: 'folder', description: 'transformers-js: local folder of models' })),
  dtype: Type.Optional(Type.String({ argument: 'name', description: 'transformers-js: fp32, fp16, q8…' })),
  device: Type.Optional(Type.String({ argument: 'name', description: 'transformers-js: cpu (default), cuda…' })),
  parameters: Type.Optional(
    Type.String({
      argument: 'json',
      description: 'additional request parameters as JSON, e.g. {"use_beam_search":true}',
    }),
  ),
  side: Type.Optional(
    Type.Integer({ minimum: 1, description: 'longest side of the image in the request, pixels (default: 512)' }),
  ),
  quality: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, description: 'JPEG quality of the image in the request (default: 85)' }),
  ),
});

type CaptionerOptions = Static<ReturnType<typeof Type.Object<typeof captionerOptions>>> &
  EndpointOptions & {
    /** The image folder, if given. */
    readonly images?: string | readonly string[];
  };

type OptionName = keyof typeof captionerOptions;

/** The options of each captioner. */
const OWN_OPTIONS: Readonly<Record<string, readonly OptionName[]>> = {
  'hf-chat': ['model', 'provider', 'endpointUrl', 'billTo', 'prompt', 'maxTokens', 'maxTokensField', 'parameters'],
  'hf-blip': ['model', 'endpointUrl', 'parameters'],
  'transformers-js': ['model', 'models', 'dtype', 'device', 'maxTokens'],
};
const COMMON_OPTIONS: readonly OptionName[] = ['captioner', 'nCaptions', 'firstSeed'];
/** Options of everything that sends images. */
const IMAGE_OPTIONS: readonly OptionName[] = ['side', 'quality'];

/**
 * Makes the captioner that the options name.
 *
 * @param where the name of the pipeline in messages
 * @param sendsImages whether something else sends images, too
 * @throws OptionError when options are missing or contradict each other
 */
export function captionerOf(where: string, options: CaptionerOptions, sendsImages = false): Captioner {
  const { captioner, captions, maxCaptions, images, endpointUrl, model } = options;
  const own = captioner === undefined ? undefined : OWN_OPTIONS[captioner];
  if (captioner !== undefined && !own) {
    const names = Object.keys(OWN_OPTIONS).join(', ');
    throw new OptionError(where, `unknown captioner '${captioner}', expected one of ${names}`);
  }
  if (captioner !== undefined && captions !== undefined) {
    throw new OptionError(where, 'expected one of --captions, --captioner and --parsed');
  }
  const used: OptionName[] = [
    ...(own ? [...COMMON_OPTIONS, ...own] : (['captions', 'maxCaptions'] as const)),
    ...(own || sendsImages ? IMAGE_OPTIONS : []),
  ];
  checkUsed(where, options, used, captioner === undefined ? 'without --captioner' : `with --captioner ${captioner}`);
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
    const { maxTokensField } = options;
    return hfChat({
      ...common,
      ...given(options, ['provider', 'endpointUrl', 'billTo', 'prompt', 'maxTokens']),
      ...(maxTokensField !== undefined && { maxTokensField: maxTokensField === 'none' ? null : maxTokensField }),
    });
  }
  if (captioner === 'transformers-js') {
    if (model === undefined) throw new OptionError(where, `--captioner ${captioner} needs --model`);
    return transformersJs({ ...common, model, ...given(options, ['models', 'dtype', 'device', 'maxTokens']) });
  }
  if (endpointUrl === undefined) throw new OptionError(where, `--captioner ${captioner} needs --endpoint-url`);
  return hfBlip({ ...common, endpointUrl });
}

/**
 * Checks the options of a pipeline without captions, which may send images nevertheless.
 *
 * @throws OptionError when an option concerns captions
 */
export function checkNoCaptioner(where: string, options: CaptionerOptions, sendsImages: boolean): void {
  checkUsed(where, options, sendsImages ? IMAGE_OPTIONS : [], 'without --captions or --captioner');
}

/** @throws OptionError when an option is given that is not used */
function checkUsed(where: string, options: CaptionerOptions, used: readonly OptionName[], why: string): void {
  const unused = (Object.keys(captionerOptions) as OptionName[]).find(
    (key) => options[key] !== undefined && !used.includes(key),
  );
  if (unused !== undefined) throw new OptionError(where, `--${recipeFlagName(unused)} has no effect ${why}`);
}

function jsonObject(where: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Reported below.
  }
  throw new OptionError(where, `--parameters ${text}, expected a JSON object`);
}
