import { RelflowError } from '../../errors.js';
import type { WeightSource } from '../../files/weight-source.js';
import type { Parameter } from '../parameter-scope.js';

export interface WeightProblems {
  /** Names that the model has and the file has not. */
  readonly missing: readonly string[];
  /** Names that the file has and the model has not. */
  readonly unexpected: readonly string[];
  /** `name: [2,3] in the file, [3,3] in the model` */
  readonly misshapen: readonly string[];
}

/**
 * Other names of the same arrays, which official checkpoints hold a second time: box heads under the decoders. The
 * outer names win, since they are loaded last there. What is left is buffers that are computed, never stored.
 */
const ignored: readonly RegExp[] = [
  /^transformer\.(?:ho_decoder|verb_decoder)\.(?:sub|obj)_bbox_embed\./,
  /\.relative_position_index$/,
  /\.position_ids$/,
  /\.num_batches_tracked$/,
];

/** Whether a checkpoint's key is known to be of no use. */
export const isIgnored = (name: string): boolean => ignored.some((pattern) => pattern.test(name));

/** What keeps a file's arrays from being a model's. */
export function compareWeights(parameters: ReadonlyMap<string, Parameter>, source: WeightSource): WeightProblems {
  const misshapen: string[] = [];
  const missing: string[] = [];
  for (const { name, shape } of parameters.values()) {
    const entry = source.entries.get(name);
    if (!entry) missing.push(name);
    else if (entry.shape.join() !== shape.join())
      misshapen.push(`${name}: [${entry.shape}] in the file, [${shape}] in the model`);
  }
  const unexpected = [...source.entries.keys()].filter((name) => !parameters.has(name) && !isIgnored(name));
  return { missing, unexpected, misshapen };
}

/**
 * @param problem what the message says of the file before it names the keys
 * @throws RelflowError (`bad-weights`) that names every missing, unexpected and misshapen key
 */
export function checkWeights(
  parameters: ReadonlyMap<string, Parameter>,
  source: WeightSource,
  problem = 'does not fit the model',
): void {
  const problems = compareWeights(parameters, source);
  const lines = [
    ...problems.missing.map((name) => `missing: ${name}`),
    ...problems.unexpected.map((name) => `unexpected: ${name}`),
    ...problems.misshapen.map((line) => `misshapen: ${line}`),
  ];
  if (lines.length > 0)
    throw new RelflowError('bad-weights', [`${source.name}: ${problem}`, ...lines].join('\n  '), { ...problems });
}

/**
 * Loads a model's weights, array by array: what is read is given to the backend before the next is read.
 * @param onProgress told how many of how many arrays are loaded
 * @throws RelflowError (`bad-weights`) that names every missing, unexpected and misshapen key; then nothing is loaded
 */
export async function loadWeights(
  parameters: ReadonlyMap<string, Parameter>,
  source: WeightSource,
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  checkWeights(parameters, source);
  let done = 0;
  for (const parameter of parameters.values()) {
    parameter.set(await source.read(parameter.name));
    onProgress?.(++done, parameters.size);
  }
}
