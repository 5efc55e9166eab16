import type { ModelConfig } from '../../src/model/model-config.js';
import { RlipV2 } from '../../src/model/rlip-v2.js';
import { initializeWeights } from '../../src/model/weights/initialize-weights.js';
import { writeWeights } from '../../src/training/write-weights.js';

/** Writes the weights of a model before any training to a safetensors file. */
export async function writeInitialWeights(
  path: string,
  config: ModelConfig,
  seed: number,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const model = new RlipV2(config);
  initializeWeights(model.parameters, seed);
  await writeWeights(path, model.parameters, metadata);
  model.dispose();
}
