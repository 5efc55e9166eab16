import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { OptionError } from '../../errors.js';
import type { Image } from '../../records/image.js';
import type { ImagePredictions } from '../../records/predictions.js';
import type { BackendName } from '../backends/backend-names.js';
import { useBackend } from '../backends/use-backend.js';
import { loadModel } from '../load-model.js';
import type { ModelConfig } from '../model-config.js';
import { ModelRunner } from '../model-runner.js';
import { NO_OBJECTS } from '../no-objects.js';
import { openPasses } from '../recording/open-passes.js';
import { detectPairs } from './detect-pairs.js';
import { type PairScoring, postProcess } from './post-process.js';

/** Options of `openPairPredictor`. */
export interface PairPredictorOptions {
  /** Weights file: `.safetensors`, an index of shards, or an official `.pth`. */
  readonly weights: string;
  /** Folder that the image paths are relative to. */
  readonly images: string;
  /** Categories to detect. The labels are input of the model, so that scores depend on all of them. */
  readonly categories: readonly string[];
  /** Predicates to detect. */
  readonly predicates: readonly string[];
  /** Configuration of the model; default: the configuration or the preset named in the weights file. */
  readonly config?: ModelConfig;
  /** Folder with RoBERTa's tokenizer.json; default: the folder of the weights. Tiny models do not read it. */
  readonly tokenizer?: string;
  /** Backend; default `auto`. */
  readonly backend?: BackendName | 'auto';
  /** Number of threads of the backend, see `BackendOptions`. */
  readonly threads?: number;
  /**
   * Length in pixels of the shorter side after resizing, and limit of the longest side; default: those in the weights file, else
   * 800 and 1333.
   */
  readonly size?: readonly [shorter: number, longest: number];
  /** True to run each operation by itself on tensorflow too, where passes of frequent shapes are recorded otherwise. */
  readonly eager?: boolean;
}

/** A loaded model that finds pairs of objects and scores all predicates of each. */
export interface PairPredictor {
  /** The configuration of the model. */
  readonly config: ModelConfig;
  /** Size in pixels to which images are resized: length of the shorter side and limit of the longest. */
  readonly size: { readonly shorter: number; readonly longest: number };
  /**
   * @returns objects and pairs in the form of a file of predictions
   * @throws RecordError as `detectPairs`
   * @throws the signal's reason once it is aborted
   */
  predict(
    image: Image,
    scoring: PairScoring,
    signal: AbortSignal,
  ): Promise<Pick<ImagePredictions, 'objects' | 'pairs'>>;
  dispose(): void;
}

/**
 * Opens RLIPv2-ParSeD or ParSeDA with the given categories and predicates.
 *
 * @param name of the caller, for errors
 * @throws OptionError if an option is out of range
 * @throws InputError if the weights or the tokenizer cannot be read
 * @throws RelflowError (`bad-weights`) if the weights do not fit the model
 */
export async function openPairPredictor(name: string, options: PairPredictorOptions): Promise<PairPredictor> {
  const { weights, images, categories, predicates } = options;
  if (!existsSync(weights)) throw new OptionError(name, `weights ${weights} do not exist, expected a file of weights`);
  for (const [list, names] of Object.entries({ categories, predicates })) {
    if (names.length === 0) throw new OptionError(name, `${list} is empty, expected at least one`);
    const repeated = names.find((label, k) => names.indexOf(label) < k);
    if (repeated !== undefined)
      throw new OptionError(name, `${list} lists '${repeated}' twice, expected each name once`);
  }
  await useBackend(options.backend ?? 'auto', options.threads === undefined ? {} : { threads: options.threads });
  const loaded = await loadModel(weights, {
    configOf: (stored) => {
      const config = options.config ?? stored.config;
      if (config === undefined)
        throw new OptionError(name, `${weights} does not name its model, expected the option config`);
      if (config.queries === 'tagger')
        throw new OptionError(name, `model ${config.name} is a tagger, expected queries parsed or parseda`);
      return config;
    },
    tokenizer: options.tokenizer ?? dirname(weights),
  });
  const { model, stored } = loaded;
  const runner = new ModelRunner(loaded, await openPasses(options.eager));
  const labels = {
    objects: [...categories.filter((category) => category !== NO_OBJECTS), NO_OBJECTS],
    relations: predicates,
  };
  const [shorter, longest] = options.size ?? [stored.view?.shorter ?? 800, stored.view?.longest ?? 1333];
  const size = { shorter, longest };
  return {
    config: model.config,
    size,
    dispose: () => {
      runner.dispose();
      model.dispose();
    },
    async predict(image, scoring, signal) {
      signal.throwIfAborted();
      return postProcess(await detectPairs(runner, image, { images, labels, size }), labels, image, scoring);
    },
  };
}
