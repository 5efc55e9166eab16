import { recipeFlagName } from '../src/graph/recipe.js';
import {
  baselineTagger,
  loadVocabulary,
  OptionError,
  type RelationTagger,
  type Static,
  Type,
  type VlmTaggerOptions,
  vlmTagger,
} from '../src/index.js';
import { BACKEND_CHOICES } from '../src/model/backends/backend-names.js';
import { SPRITES, taggerWeights } from '../src/model/tagger/embedded-tagger.js';
import { rTagger } from '../src/model/tagger/r-tagger.js';
import { type EndpointOptions, endpointPolicy, given } from './endpoint-options.js';
import { inGroup, MAIN } from './option-groups.js';

/** The value of `--tagger` for a vision-language model. */
export const VLM = 'vlm';

/** Options of every pipeline that tags relations. */
export const taggerOptions = inGroup('Tagging', {
  tagger: Type.Optional(
    Type.String({
      group: MAIN,
      argument: 'file',
      description:
        "weights of an R-Tagger (.safetensors or an official .pth), which needs --images; 'sprites' is the tagger that comes with relflow and knows only drawn scenes; 'vlm' asks a vision-language model; default: the geometric baseline, which needs no images",
    }),
  ),
  taggerModel: Type.Optional(
    Type.String({
      argument: 'name',
      description:
        'name of the model; default: as in the file of weights, or else rTaggerR50; vlm: its name on the server',
    }),
  ),
  tokenizer: Type.Optional(
    Type.String({
      argument: 'folder',
      description: "folder with RoBERTa's tokenizer.json; default: the folder of the weights",
    }),
  ),
  backend: Type.Optional(
    Type.String({ enum: BACKEND_CHOICES, description: 'backend of the R-Tagger (default: auto)' }),
  ),
  threads: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: 'threads of the R-Tagger' })),
  taggerBatch: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 64,
      description:
        'number of images that the R-Tagger encodes in one pass (default: 4 with --backend tensorflow and webgpu, else 1)',
    }),
  ),
  labelCache: Type.Optional(
    Type.String({
      argument: 'folder',
      description: "folder that caches the R-Tagger's label vectors for later runs",
    }),
  ),
  taggerEndpointUrl: Type.Optional(
    Type.String({ argument: 'url', description: 'vlm: address of the server, instead of --tagger-provider' }),
  ),
  taggerProvider: Type.Optional(
    Type.String({ argument: 'name', description: 'vlm: inference provider of Hugging Face (default: auto)' }),
  ),
  taggerMaxTokens: Type.Optional(
    Type.Integer({ minimum: 1, description: 'vlm: maximum number of tokens of an answer (default: 600)' }),
  ),
  coordinates: Type.Optional(
    Type.String({
      enum: ['thousandths', 'pixels'],
      description: 'vlm: numbers of boxes, of the width and height (default: thousandths) or of the image as sent',
    }),
  ),
  marks: Type.Optional(
    Type.String({
      enum: ['listed', 'drawn'],
      description: 'vlm: boxes as a list of numbers (default: listed) or drawn on the image',
    }),
  ),
  secondLook: Type.Optional(
    Type.String({
      enum: ['unsure', 'all', 'none'],
      description: 'vlm: answers to ask again with a picture of both boxes (default: unsure)',
    }),
  ),
});

type TaggerOptions = Static<ReturnType<typeof Type.Object<typeof taggerOptions>>> &
  EndpointOptions & {
    readonly compat: boolean;
    readonly propose?: boolean;
    readonly vocabulary?: string;
    readonly side?: number;
    readonly quality?: number;
    readonly images?: string | readonly string[];
  };

const ONLY_VLM = ['taggerEndpointUrl', 'taggerProvider', 'taggerMaxTokens', 'secondLook'] as const;
const ONLY_SHOWN = ['coordinates', 'marks'] as const;
const ONLY_R_TAGGER = ['tokenizer', 'backend', 'threads', 'taggerBatch', 'labelCache'] as const;

/**
 * Makes the tagger that the options name.
 *
 * @param where the name of the pipeline in messages
 * @throws OptionError when options are missing or contradict each other
 */
export function taggerOf(where: string, vocabulary: string, options: TaggerOptions): RelationTagger {
  const { tagger, taggerModel, tokenizer, backend, threads, taggerBatch, labelCache, compat, images } = options;
  checkUnused(where, options);
  if (tagger === undefined) return baselineTagger({ compat });
  if (images === undefined) throw new OptionError(where, '--tagger needs --images, the image folder');
  if (tagger === VLM) return vlmTaggerOf(where, options, images);
  return rTagger({
    weights: taggerWeights(tagger),
    ...(tagger === SPRITES && { name: 'sprite-tagger' }),
    images,
    compat,
    ...(compat && { categories: [...loadVocabulary(options.vocabulary ?? vocabulary).synonyms.keys()] }),
    ...(taggerModel !== undefined && { model: taggerModel }),
    ...(tokenizer !== undefined && { tokenizer }),
    ...(backend !== undefined && { backend }),
    ...(threads !== undefined && { threads }),
    ...(taggerBatch !== undefined && { batchSize: taggerBatch }),
    ...(labelCache !== undefined && { labelCache }),
  });
}

/** @throws OptionError when an option has no effect with this tagger */
function checkUnused(where: string, options: TaggerOptions): void {
  const isVlm = options.tagger === VLM;
  const unused = [...(isVlm ? ONLY_R_TAGGER : ONLY_VLM), ...(isVlm || options.propose ? [] : ONLY_SHOWN)].find(
    (key) => options[key] !== undefined,
  );
  if (unused !== undefined)
    throw new OptionError(
      where,
      `--${recipeFlagName(unused)} has no effect ${isVlm ? 'with' : 'without'} --tagger ${VLM}`,
    );
}

function vlmTaggerOf(where: string, options: TaggerOptions, images: string | readonly string[]): RelationTagger {
  const { taggerModel: model, taggerEndpointUrl: endpointUrl, taggerProvider: provider, taggerMaxTokens } = options;
  if (options.compat)
    throw new OptionError(where, `--compat has no effect with --tagger ${VLM}, leave one of them out`);
  if (endpointUrl === undefined && model === undefined)
    throw new OptionError(where, `--tagger ${VLM} needs --tagger-model, --tagger-endpoint-url or both`);
  return vlmTagger({
    images,
    ...endpointPolicy(options),
    ...given({ model, endpointUrl, provider, maxTokens: taggerMaxTokens }, [
      'model',
      'endpointUrl',
      'provider',
      'maxTokens',
    ]),
    ...(given(options, ['secondLook']) as Pick<VlmTaggerOptions, 'secondLook'>),
    ...shownOptions(options),
  });
}

/** Returns the options of how images and boxes are shown to a vision-language model; the schema of the options has checked them. */
export const shownOptions = (options: Partial<Pick<TaggerOptions, 'side' | 'quality' | 'coordinates' | 'marks'>>) =>
  given(options, ['side', 'quality', 'coordinates', 'marks']) as Pick<
    VlmTaggerOptions,
    'side' | 'quality' | 'coordinates' | 'marks'
  >;
