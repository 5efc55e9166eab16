import { Random } from '../../records/random.js';
import type { Initializer, Parameter } from '../parameter-scope.js';

/**
 * Generates initial values for training, parameter by parameter, in the official layout.
 * @param seed the same seed gives the same values on every machine
 */
export function* initialValues(
  parameters: ReadonlyMap<string, Parameter>,
  seed: number,
): Generator<readonly [parameter: Parameter, values: Float32Array], undefined> {
  const source = new Random(seed);
  for (const parameter of parameters.values())
    yield [parameter, valuesOf(parameter.initializer, parameter.size, source)];
}

/**
 * Sets every parameter to its initial value for training.
 * @param seed the same seed gives the same values on every machine
 *
 * @example
 * ```ts
 * import { initializeWeights, RlipV2, tiny, useBackend } from 'relflow/model';
 *
 * await useBackend('wasm');
 * const model = new RlipV2(tiny.tagger);
 * initializeWeights(model.parameters, 1);
 * ```
 */
export function initializeWeights(parameters: ReadonlyMap<string, Parameter>, seed: number): void {
  for (const [parameter, values] of initialValues(parameters, seed)) parameter.set(values);
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
