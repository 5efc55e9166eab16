import { dirname, resolve } from 'node:path';
import { OptionError } from '../../errors.js';
import { readConfigJson } from '../../files/read-config-json.js';
import { readLabelLists } from '../../files/read-label-lists.js';
import { isS3Address, readS3Address } from '../../files/s3/s3-address.js';
import { schemaProblem } from '../../records/schema-problem.js';
import type { TrainingConfig, TrainingDataSet } from '../../records/training-config.js';

/**
 * Reads a training configuration from a JSON file, and resolves its relative paths against the file's folder.
 *
 * @example
 * ```ts
 * import { readTrainingConfig, train } from 'relflow/training';
 *
 * const { weights } = await train(await readTrainingConfig('tagger.json'), { out: 'run' });
 * ```
 * @throws InputError when the file does not exist or is not valid JSON
 * @throws OptionError naming the first field that does not fit `schemas/training.schema.json`, or an address of a store with credentials
 */
export async function readTrainingConfig(file: string): Promise<TrainingConfig> {
  const value = await readConfigJson(file, 'a training configuration');
  const problem = schemaProblem('training', value);
  if (problem !== null) throw new OptionError(file, problem);
  const config = value as TrainingConfig;
  const folder = dirname(resolve(file));
  const path = (relative: string) => {
    if (!isS3Address(relative)) return resolve(folder, relative);
    readS3Address(relative);
    return relative;
  };
  return {
    ...config,
    ...(config.initialWeights !== undefined && { initialWeights: path(config.initialWeights) }),
    ...(config.startFrom !== undefined && { startFrom: path(config.startFrom) }),
    ...(config.tokenizer !== undefined && { tokenizer: path(config.tokenizer) }),
    ...(typeof config.fewShot === 'string' && { fewShot: path(config.fewShot) }),
    ...(typeof config.vocabulary === 'object' &&
      'file' in config.vocabulary && { vocabulary: await vocabularyOf(path(config.vocabulary.file)) }),
    ...(config.evaluation && { evaluation: evaluationPaths(config.evaluation, path) }),
    data: config.data.map((set) => withPaths(set, path)),
    ...(config.validation && { validation: config.validation.map((set) => withPaths(set, path)) }),
  };
}

const vocabularyOf = async (file: string) => {
  const { objects, relations } = await readLabelLists(file);
  return { objects: [...objects], relations: [...relations] };
};

function evaluationPaths(
  { images, training, setting, everyEpochs, ...sets }: NonNullable<TrainingConfig['evaluation']>,
  path: (relative: string) => string,
): NonNullable<TrainingConfig['evaluation']> {
  return {
    ...Object.fromEntries(Object.entries(sets).map(([name, options]) => [name, filesOf(options, path)])),
    images: path(images),
    ...(training !== undefined && { training: path(training) }),
    ...(setting !== undefined && { setting }),
    ...(everyEpochs !== undefined && { everyEpochs }),
  };
}

function withPaths(set: TrainingDataSet, path: (relative: string) => string): TrainingDataSet {
  const { sceneGraphs, visualGenome: genome, pseudoAnnotations: pseudo, images, ...annotated } = set;
  return {
    images: path(images),
    ...Object.fromEntries(Object.entries(annotated).map(([name, options]) => [name, filesOf(options, path)])),
    ...(sceneGraphs !== undefined && { sceneGraphs: path(sceneGraphs) }),
    ...(genome && {
      visualGenome: {
        sceneGraphs: path(genome.sceneGraphs),
        imageData: path(genome.imageData),
        ...(genome.objectAliases !== undefined && { objectAliases: path(genome.objectAliases) }),
        ...(genome.relationshipAliases !== undefined && { relationshipAliases: path(genome.relationshipAliases) }),
      },
    }),
    ...(pseudo && {
      pseudoAnnotations: {
        annotations: path(pseudo.annotations),
        ...(pseudo.filePaths !== undefined && { filePaths: path(pseudo.filePaths) }),
      },
    }),
  };
}

/** Returns the options of a data set in its official files: all texts but the split are paths. */
const filesOf = (options: object, path: (relative: string) => string) =>
  Object.fromEntries(
    Object.entries(options).map(([option, value]) => [
      option,
      typeof value === 'string' && option !== 'split' ? path(value) : value,
    ]),
  );
