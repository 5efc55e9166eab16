import { Random } from '../../records/random.js';
import type { Initializer, Parameter } from '../parameters.js';

/**
 * Gives every parameter the values that training starts with.
 * @param seed the same seed gives the same values on every machine
 */
export function initializeWeights(parameters: ReadonlyMap<string, Parameter>, seed: number): void {
  const source = new Random(seed);
  for (const parameter of parameters.values()) parameter.set(valuesOf(parameter.initializer, parameter.size, source));
}

function valuesOf(initializer: Initializer, size: number, source: Random): Float32Array {
  switch (initializer.kind) {
    case 'constant':
      return new Float32Array(size).fill(initializer.value);
    case 'uniform':
      return Float32Array.from({ length: size }, () => initializer.bound * (2 * source.next() - 1));
    case 'normal':
      return Float32Array.from({ length: size }, () => initializer.deviation * source.normal());
    case 'values':
      return initializer.values;
  }
}
