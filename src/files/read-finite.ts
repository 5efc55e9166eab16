import { checkFinite } from './check-finite.js';
import type { WeightSource } from './weight-source.js';

/**
 * Reads an array of weights that must hold numbers only.
 * @throws RelflowError (`bad-weights`) naming the first value that is NaN or infinite
 */
export async function readFinite(source: WeightSource, name: string): Promise<Float32Array> {
  const values = await source.read(name);
  checkFinite(source.name, name, values);
  return values;
}
