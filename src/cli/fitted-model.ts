import type { WeightSource } from '../files/weight-source.js';
import type { CommandContext } from './command-context.js';

/**
 * Checks that a file has each array of a model in the right shape. RLIPv2 is fine-tuned with fewer pair queries than its presets
 * have, so that their number is taken from the file.
 * @returns the names of the arrays, and a header if the model is not the preset itself
 */
export async function fittedModel(context: CommandContext, name: string, source: WeightSource) {
  const { checkWeights, modelMetadata, preset, RlipV2 } = await import('../model/index.js');
  const config = preset(name);
  const table = ['query_embed.weight', 'tgt_embed.weight'].map((key) => source.entries.get(key)?.shape[0]);
  const pairs = (table.find((rows) => rows !== undefined) ?? 0) / 2;
  const isOther = config.queries !== 'tagger' && Number.isInteger(pairs) && pairs > 0 && pairs !== config.pairs;
  const fitted = isOther ? { ...config, pairs } : config;
  const { parameters } = new RlipV2(fitted);
  checkWeights(parameters, source, `does not contain the weights of ${name}`);
  if (isOther) context.printNote(`${source.name}: has ${2 * pairs} queries; the header says ${pairs} pairs`);
  return { names: [...parameters.keys()], metadata: isOther ? modelMetadata({ config: fitted }) : undefined };
}
