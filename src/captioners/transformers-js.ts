import { EndpointError, OptionError } from '../errors.js';
import { fieldsOf } from '../files/json/json-value.js';
import type { Captioner } from '../records/ports.js';
import { type ModelCaptionerOptions, modelCaptioner, seedsOf } from './model-captioner.js';
import { checkResizeOptions, type ResizeOptions, resizeForModel } from './resize-for-model.js';

/** What relflow calls of `@huggingface/transformers`. */
export interface TransformersJs {
  readonly env: { allowRemoteModels: boolean; localModelPath?: string };
  readonly RawImage: { fromBlob(blob: Blob): Promise<unknown> };
  pipeline(task: 'image-to-text', model: string, options: Readonly<Record<string, unknown>>): Promise<ImageToText>;
}

/** The pipeline of image-to-text. */
type ImageToText = ((image: unknown, generation: Readonly<Record<string, unknown>>) => Promise<unknown>) & {
  dispose?(): Promise<unknown>;
};

/** What `transformersJs` is told. */
export interface TransformersJsOptions extends ModelCaptionerOptions, ResizeOptions {
  /** A model in ONNX form: a name on Hugging Face, or a folder below `models`. */
  readonly model: string;
  /** The folder of models on this machine; without it models are fetched from Hugging Face and cached. */
  readonly models?: string;
  /** Weights: `fp32`, `fp16`, `q8`, `q4`…; what the model offers unless given. */
  readonly dtype?: string;
  /** `cpu` (default), `cuda`, `webgpu`… */
  readonly device?: string;
  /** Tokens of a caption at most. Default 20. */
  readonly maxTokens?: number;
  /** The library itself; `import('@huggingface/transformers')` unless given. */
  readonly library?: () => Promise<TransformersJs>;
}

const name = 'transformers-js';
const PACKAGE = '@huggingface/transformers';

/**
 * Captions by a model in this process, by way of the optional package `@huggingface/transformers` and ONNX Runtime. One
 * caption is the model's best at each word; several are sampled with top_p 0.9, without a seed, so that they can't be had
 * a second time other than from the store. It works on one image at a time unless `requestsAtOnce` says more.
 *
 * The run ends with an EndpointError where the package or the model is not there.
 *
 * @throws OptionError where an option is missing or out of range
 */
export function transformersJs(options: TransformersJsOptions): Captioner {
  const { model, models, dtype, device = 'cpu', maxTokens = 20, library = importLibrary } = options;
  if (!model)
    throw new OptionError(name, "'model' is missing, expected a name on Hugging Face or a folder below 'models'");
  const size = checkResizeOptions(name, options);
  const sampling = seedsOf(name, options).length > 1 ? { do_sample: true, top_p: 0.9 } : { do_sample: false };
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
          throw new EndpointError(name, 'no-such-model', `model '${model}' can't be loaded: ${error.message}`);
        });
        const { describe, toImage } = await loaded;
        const input = await toImage(bytes);
        return async () => {
          const { generated_text: text } = fieldsOf(firstElement(await describe(input, generation)));
          if (typeof text === 'string') return { text: text.trim() };
          throw new EndpointError(
            name,
            'no-caption',
            `model '${model}' gave no generated_text; is it one for image-to-text?`,
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
      const ended = loaded;
      loaded = undefined;
      // Whoever asked has been told why there is no model.
      await (await ended?.catch(() => null))?.describe.dispose?.();
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
