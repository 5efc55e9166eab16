import { OptionError } from '../../errors.js';
import { MISSING_OBJECTS } from '../../records/missing-objects.js';
import type { TrainingConfig } from '../../records/training-config.js';
import { coco80Categories } from '../../vocabulary/categories.js';
import { hicoVerbs } from '../../vocabulary/hico.js';
import { vcocoVerbs } from '../../vocabulary/vcoco.js';
import type { TrainingVocabulary } from '../data/training-sample.js';

const names = coco80Categories.map(({ name }) => name);

/** The closed vocabularies of data sets, in the order in which evaluators and weights number them. */
const vocabularies: Readonly<Record<'hico' | 'vcoco', TrainingVocabulary>> = {
  hico: { objects: names, relations: hicoVerbs },
  vcoco: { objects: [...names, MISSING_OBJECTS], relations: vcocoVerbs.map(({ name }) => name) },
};

/**
 * Returns the closed vocabulary of a fine-tuning. That of HICO-DET or V-COCO must be complete and in the official order, as
 * their evaluators count classes by number.
 * @throws OptionError naming the first name that is missing, out of order or listed twice
 */
export function closedVocabulary(
  vocabulary: NonNullable<TrainingConfig['vocabulary']>,
  data: TrainingConfig['data'],
): TrainingVocabulary {
  if (vocabulary === 'hico' || vocabulary === 'vcoco') return vocabularies[vocabulary];
  if ('file' in vocabulary)
    throw new OptionError('training', '/vocabulary/file is read by readTrainingConfig, expected lists of names');
  for (const [list, given] of Object.entries(vocabulary)) {
    const repeated = given.find((name, k) => given.indexOf(name) < k);
    if (repeated !== undefined)
      throw new OptionError('training', `/vocabulary/${list} contains '${repeated}' twice, expected distinct names`);
  }
  for (const set of ['hico', 'vcoco'] as const)
    if (data.some((one) => one[set] !== undefined)) checkOrder(vocabulary, set);
  return vocabulary;
}

function checkOrder(vocabulary: TrainingVocabulary, set: 'hico' | 'vcoco'): void {
  for (const list of ['objects', 'relations'] as const) {
    const [given, official] = [vocabulary[list], vocabularies[set][list]];
    const missing = official.find((name) => !given.includes(name));
    const unknown = given.find((name) => !official.includes(name));
    const at = official.findIndex((name, k) => given[k] !== name);
    const problem =
      given.length !== official.length
        ? `has ${given.length} names${missing === undefined ? '' : `, '${missing}' is missing`}`
        : unknown !== undefined
          ? `contains '${unknown}', which the data set has not`
          : at >= 0
            ? `has '${given[at]}' in place ${at}, expected '${official[at]}'`
            : null;
    if (problem !== null)
      throw new OptionError(
        'training',
        `/vocabulary/${list} ${problem}; data of ${set} needs its ${official.length} names in their order: write "vocabulary": "${set}"`,
      );
  }
}
