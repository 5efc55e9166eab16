import type { ModelConfig } from './model-config.js';
import { RlipV2 } from './rlip-v2.js';
import { LabelVectors } from './text/label-vectors.js';
import { byteTokenizer, openTokenizer } from './text/tokenizer.js';
import { loadWeights } from './weights/load-weights.js';
import { openWeights } from './weights/open-weights.js';
import { type StoredModel, storedModel } from './weights/stored-model.js';

/** A model with its weights, and what reads labels for it. */
export interface LoadedModel {
  readonly model: RlipV2;
  readonly vectors: LabelVectors;
  /** What the weights say of themselves. */
  readonly stored: StoredModel;
}

export interface LoadModelOptions {
  /** Which model the weights are of. */
  readonly configOf: (stored: StoredModel) => ModelConfig;
  /** Folder with RoBERTa's tokenizer.json. Tiny models need none. */
  readonly tokenizer: string;
  /** Folder where label vectors are kept. */
  readonly labelCache?: string;
}

/**
 * A model of a file of weights: `.safetensors`, an index of shards, or an official `.pth`. The backend is chosen before.
 *
 * @throws InputError where weights or tokenizer can't be read
 * @throws RelflowError where the weights are not this model's
 */
export async function loadModel(file: string, options: LoadModelOptions): Promise<LoadedModel> {
  const source = await openWeights(file);
  try {
    const { metadata = {} } = source as { metadata?: Readonly<Record<string, string>> };
    const stored = storedModel(source.name, metadata);
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
