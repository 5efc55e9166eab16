import type { ModelConfig } from './model-config.js';
import { RlipV2 } from './rlip-v2.js';
import { LabelVectors } from './text/label-vectors.js';
import { byteTokenizer, openTokenizer } from './text/tokenizer.js';
import { loadWeights } from './weights/load-weights.js';
import { openWeights } from './weights/open-weights.js';
import { type StoredModel, storedModel } from './weights/stored-model.js';

/** Model with its weights and the cache of its label vectors. */
export interface LoadedModel {
  readonly model: RlipV2;
  readonly vectors: LabelVectors;
  /** Metadata of the weights file. */
  readonly stored: StoredModel;
}

/** Options of `loadModel`. */
export interface LoadModelOptions {
  /** Returns the configuration of the model, given the metadata of the weights file. */
  readonly configOf: (stored: StoredModel) => ModelConfig;
  /** Folder with RoBERTa's tokenizer.json. Models with a byte vocabulary do not read it. */
  readonly tokenizer: string;
  /** Folder in which label vectors are cached; omitted when they are cached in memory only. */
  readonly labelCache?: string;
}

/**
 * Loads a model from a weights file: `.safetensors`, an index of shards, or an official `.pth`. Call `useBackend` first.
 *
 * @throws InputError if the weights or the tokenizer cannot be read
 * @throws RelflowError (`bad-weights`) if the weights do not fit the model
 */
export async function loadModel(file: string, options: LoadModelOptions): Promise<LoadedModel> {
  const source = await openWeights(file);
  try {
    const stored = storedModel(source.name, source.metadata ?? {});
    const config = options.configOf(stored);
    const readsBytes = config.text.vocabulary === 260;
    const tokenizer = readsBytes ? byteTokenizer : await openTokenizer(options.tokenizer);
    const model = new RlipV2(config);
    await loadWeights(model.parameters, source);
    return { model, vectors: await LabelVectors.open(model, tokenizer, options.labelCache), stored };
  } finally {
    await source.close();
  }
}
