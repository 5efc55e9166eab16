import {
  type NetworkSizes,
  type ParameterName,
  type Parameters,
  parameterShapes,
} from '../src/parser/neural/network-parameters.js';
import type { Random } from '../src/records/random.js';

/** Initializes weights from a normal distribution of variance 1 / inputs; the gates start nearly closed. */
export function initializeParameters(parameters: Parameters, sizes: NetworkSizes, random: Random): void {
  const tables: Readonly<Record<string, number>> = {
    compounds: 0.3,
    tagEmbeddings: 0.3,
    distances: 0.25,
    attributeDistances: 0.25,
    transitions: 0,
    starts: 0,
  };
  for (const [name, [rows]] of Object.entries(parameterShapes(sizes)) as [ParameterName, readonly [number, number]][]) {
    if (name.endsWith('Bias') || name === 'affixes' || name === 'shapes') continue;
    const gain = name === 'context' || name === 'relationContext' ? 1.4 : 1;
    const deviation = tables[name] ?? gain / Math.sqrt(rows);
    const values = parameters[name];
    for (let k = 0; k < values.length; k++) values[k] = deviation * random.normal();
  }
  const half = sizes.hidden / 2;
  for (const bias of [parameters.contextBias, parameters.relationContextBias]) {
    bias.fill(-1, 0, half);
    bias.fill(-1, 2 * half, 3 * half);
  }
}
