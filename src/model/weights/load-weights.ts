import { RelflowError } from '../../errors.js';
import { readFinite } from '../../files/read-finite.js';
import type { WeightSource } from '../../files/weight-source.js';
import type { Parameter } from '../parameter-scope.js';

/** Differences between the arrays of a weights file and the parameters of a model. */
export interface WeightProblems {
  /** Names that only the model has. */
  readonly missing: readonly string[];
  /** Names that only the file has. */
  readonly unexpected: readonly string[];
  /** Arrays of different shapes, e.g. `name: [2,3] in the file, [3,3] in the model`. */
  readonly misshapen: readonly string[];
}

/**
 * Keys of official checkpoints that are ignored. The first pattern matches second names of the box heads, below the
 * decoders; the outer names win, because the official code loads them last. The others match buffers that are computed.
 */
const ignored: readonly RegExp[] = [
  /^transformer\.(?:ho_decoder|verb_decoder)\.(?:sub|obj)_bbox_embed\./,
  /\.relative_position_index$/,
  /\.position_ids$/,
  /\.num_batches_tracked$/,
];

/** Returns true for keys of official checkpoints that no model needs. */
const isIgnoredWeight = (name: string): boolean => ignored.some((pattern) => pattern.test(name));

/**
 * Compares names and shapes of a weights file with those of a model.
 *
 * @example
 * ```ts
 * import { compareWeights, openWeights, RlipV2, rTaggerR50 } from 'relflow/model';
 *
 * const weights = await openWeights('checkpoint.pth');
 * const { missing, unexpected, misshapen } = compareWeights(new RlipV2(rTaggerR50).parameters, weights);
 * console.log(missing.length, unexpected.length, misshapen);
 * await weights.close();
 * ```
 */
export function compareWeights(parameters: ReadonlyMap<string, Parameter>, source: WeightSource): WeightProblems {
  const misshapen: string[] = [];
  const missing: string[] = [];
  for (const { name, shape } of parameters.values()) {
    const entry = source.entries.get(name);
    if (!entry) missing.push(name);
    else if (entry.shape.join() !== shape.join())
      misshapen.push(`${name}: [${entry.shape}] in the file, [${shape}] in the model`);
  }
  const unexpected = [...source.entries.keys()].filter((name) => !parameters.has(name) && !isIgnoredWeight(name));
  return { missing, unexpected, misshapen };
}

/**
 * Checks that a weights file fits a model.
 * @param problem what the error message says about the file before it lists the keys
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
 * Loads a model's weights. Arrays are read and passed to the backend one after another.
 * @param onProgress called with the number of loaded arrays and their total number
 * @throws RelflowError (`bad-weights`) that names every missing, unexpected and misshapen key, in which case nothing is
 * loaded; or the first array with a number that is NaN or infinite
 *
 * @example
 * ```ts
 * import { loadWeights, openWeights, parsedaR50, RlipV2, useBackend } from 'relflow/model';
 *
 * await useBackend('wasm');
 * const model = new RlipV2(parsedaR50);
 * const weights = await openWeights('parseda.pth');
 * await loadWeights(model.parameters, weights, (done, total) => console.log(`${done} of ${total}`));
 * await weights.close();
 * ```
 */
export async function loadWeights(
  parameters: ReadonlyMap<string, Parameter>,
  source: WeightSource,
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  checkWeights(parameters, source);
  let done = 0;
  for (const parameter of parameters.values()) {
    parameter.set(await readFinite(source, parameter.name));
    onProgress?.(++done, parameters.size);
  }
}
