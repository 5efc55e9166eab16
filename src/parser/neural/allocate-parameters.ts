import type { ParserKernels } from './kernels/parser-kernels.js';
import { type NetworkSizes, type ParameterName, type Parameters, parameterShapes } from './network-parameters.js';

/** Allocates every parameter of the network in the kernels' memory, filled with zeros. */
export function allocateParameters(kernels: ParserKernels, sizes: NetworkSizes): Parameters {
  const entries = Object.entries(parameterShapes(sizes)) as [ParameterName, readonly [number, number]][];
  return Object.fromEntries(
    entries.map(([name, [rows, columns]]) => [name, kernels.floats(rows * columns)]),
  ) as unknown as Parameters;
}
