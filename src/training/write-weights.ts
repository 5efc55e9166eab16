import { writeSafetensors } from '../files/write-safetensors.js';
import type { Parameter } from '../model/parameter-scope.js';

/** Writes the weights of a model to a safetensors file. */
export async function writeWeights(
  path: string,
  parameters: ReadonlyMap<string, Parameter>,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const list = [...parameters.values()].map((p) => ({ name: p.name, shape: p.shape, read: () => p.values() }));
  await writeSafetensors(path, list, { metadata });
}
