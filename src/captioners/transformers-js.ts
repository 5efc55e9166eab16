import { EndpointError, OptionError } from '../errors.js';
import { fieldsOf } from '../files/json/json-value.js';
import type { Captioner } from '../records/ports.js';
import { captionerSeeds, type ModelCaptionerOptions, modelCaptioner } from './model-captioner.js';
import { checkResizeOptions, type ResizeOptions, resizeForModel } from './resize-for-model.js';

/** The part of `@huggingface/transformers` that relflow calls. */
export interface TransformersJs {
  readonly env: { allowRemoteModels: boolean; localModelPath?: string };
  readonly RawImage: { fromBlob(blob: Blob): Promise<unknown> };
  pipeline(task: 'image-to-text', model: string, options: Readonly<Record<string, unknown>>): Promise<ImageToText>;
}

/** The pipeline for the task image-to-text. */
type ImageToText = ((image: unknown, generation: Readonly<Record<string, unknown>>) => Promise<unknown>) & {
  dispose?(): Promise<unknown>;
};

/** Options of `transformersJs`. */
export interface TransformersJsOptions extends ModelCaptionerOptions, ResizeOptions {
  /** A model in ONNX format: a name on Hugging Face, or a folder below `models`. */
  readonly model: string;
  /** A local folder of models. Default: models are downloaded from Hugging Face and cached. */
  readonly models?: string;
  /** The number format of the weights: `fp32`, `fp16`, `q8`, `q4`… Default: chosen by the library. */
  readonly dtype?: string;
  /** The device: `cpu` (default), `cuda`, `webgpu`… */
  readonly device?: string;
  /** The maximum number of tokens of a caption. Default 20. */
  readonly maxTokens?: number;
  /** Loads the library. Default `import('@huggingface/transformers')`. */
  readonly library?: () => Promise<TransformersJs>;
}

const name = 'transformers-js';
const PACKAGE = '@huggingface/transformers';

/**
 * Returns a captioner that runs a model in this process, with the optional package `@huggingface/transformers` and ONNX
 * Runtime. One caption is decoded greedily; several captions are sampled with top_p 0.9 and without a seed, so that
 * they can only be reproduced from the store. It processes one image at a time unless `requestsAtOnce` is given.
 *
 * The run ends with an EndpointError if the package or the model cannot be loaded.
 *
 * @throws OptionError if an option is missing or out of range
 *
 * @example
 * ```ts
 * import { caption, transformersJs } from 'relflow';
 *
 * const operator = caption(
 *   transformersJs({ model: 'Xenova/vit-gpt2-image-captioning', dtype: 'q8', images: 'train2017' }),
 * );
 * ```
 */
export function transformersJs(options: TransformersJsOptions): Captioner {
  const { model, models, dtype, device = 'cpu', maxTokens = 20, library = importLibrary } = options;
  if (!model)
    throw new OptionError(name, "'model' is missing, expected a name on Hugging Face or a folder below 'models'");
  const size = checkResizeOptions(name, options);
  const sampling = captionerSeeds(name, options).length > 1 ? { do_sample: true, top_p: 0.9 } : { do_sample: false };
  const generation = { max_new_tokens: maxTokens, ...sampling };
  let loaded: Promise<{ describe: ImageToText; toImage: (bytes: Buffer) => Promise<unknown> }> | undefined;

  async function load() {
    const { env, pipeline, RawImage } = await library();
    if (models !== undefined) {
      env.localModelPath = models;
      env.allowRemoteModels = false;
    }
    const describe = await pipeline('image-to-text', model, { device, ...(dtype !== undefined && { dtype }) });
    return { describe, toImage: (bytes: Buffer) => RawImage.fromBlob(new Blob([new Uint8Array(bytes)])) };
  }

  const captioner = modelCaptioner(
    {
      name,
      version: '1',
      question: {
        protocol: name,
        model,
        prompt: '',
        parameters: { ...generation, image: size, ...(dtype !== undefined && { dtype }) },
      },
      expectedTokens: { input: 0, output: maxTokens },
      prepare: async (image, file) => {
        const { bytes } = await resizeForModel(name, file, image, size);
        loaded ??= load().catch((error: Error) => {
          throw new EndpointError(name, 'no-such-model', `model '${model}' cannot be loaded: ${error.message}`);
        });
        const { describe, toImage } = await loaded;
        const input = await toImage(bytes);
        return async () => {
          const { generated_text: text } = fieldsOf(firstElement(await describe(input, generation)));
          if (typeof text === 'string') return { text: text.trim() };
          throw new EndpointError(
            name,
            'no-caption',
            `model '${model}' returned no generated_text, expected a model for image-to-text`,
          );
        };
      },
    },
    { requestsAtOnce: 1, retries: 0, ...options },
  );
  return {
    ...captioner,
    async close() {
      await captioner.close?.();
      const loading = loaded;
      loaded = undefined;
      // `caption` has already reported why the model could not be loaded.
      await (await loading?.catch(() => null))?.describe.dispose?.();
    },
  };
}

const firstElement = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value);

async function importLibrary(): Promise<TransformersJs> {
  try {
    return (await import(PACKAGE)) as TransformersJs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(`the package ${PACKAGE} is not installed: npm install ${PACKAGE}`);
  }
}
