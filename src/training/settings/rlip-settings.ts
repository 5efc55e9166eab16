import { OptionError } from '../../errors.js';
import { commonSettings, type RlipSettings } from './run-settings.js';

/**
 * Checks a configuration of RLIPv2's pre-training or fine-tuning and fills in what it leaves out: the official values.
 * @throws OptionError that names the first field which is wrong, and what was expected
 */
export function rlipSettings(config: unknown): RlipSettings {
  const { given, ...common } = commonSettings(config);
  const { task } = given;
  if (task === 'tagger') throw new OptionError('training', '/task tagger, expected rlip or finetune');
  if (common.model.queries === 'tagger')
    throw new OptionError('training', `${common.model.name} is a tagger, expected a model that finds pairs`);
  if (given.noise !== undefined && common.model.queries !== 'parseda')
    throw new OptionError('training', `/noise is of taggers and ParSeDA, and ${common.model.name} is neither`);
  if (given.paraphrases !== undefined) throw new OptionError('training', '/paraphrases is of task tagger');
  if (task === 'rlip' && given.vocabulary !== undefined)
    throw new OptionError('training', '/vocabulary is of task finetune');
  if (task === 'finetune') {
    if (given.vocabulary === undefined)
      throw new OptionError('training', '/vocabulary is missing, expected all names of objects and relations');
    if (given.initialWeights === undefined)
      throw new OptionError('training', '/initialWeights is missing, expected the pre-trained weights');
    for (const [list, names] of Object.entries(given.vocabulary))
      if (new Set(names).size < names.length) throw new OptionError('training', `/vocabulary/${list} has a name twice`);
  }
  return {
    task,
    ...common,
    losses: {
      quality: given.losses?.quality ?? true,
      // Officially of pre-training alone.
      pseudoLabels: given.losses?.pseudoLabels ?? task === 'rlip',
    },
    noise: given.noise ?? null,
    vocabulary: given.vocabulary ?? null,
  };
}
