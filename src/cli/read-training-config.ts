import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InputError, OptionError, pseudoAnnotations, sceneGraphLines, visualGenome } from '../index.js';
import { schemaProblem } from '../records/schema-problem.js';
import type { TrainingConfig, TrainingDataSet } from '../records/training-config.js';
import type { DataSet } from '../training/index.js';

const MAX_CONFIG = 1 << 20;

/**
 * Reads a training configuration; paths in it become those of this process.
 * @throws InputError where there is no such file, or it is no JSON
 * @throws OptionError that names the first field which is wrong
 */
export async function readTrainingConfig(file: string): Promise<TrainingConfig> {
  const found = await stat(file).catch(() => null);
  if (!found?.isFile()) throw new InputError(file, 'no such file');
  if (found.size > MAX_CONFIG) throw new InputError(file, 'is too long for a configuration');
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new InputError(file, `is no JSON: ${(cause as Error).message}`, undefined, { cause });
  }
  const problem = schemaProblem('training', value);
  if (problem !== null) throw new OptionError(file, problem);
  const config = value as TrainingConfig;
  const folder = dirname(resolve(file));
  const path = (relative: string) => resolve(folder, relative);
  return {
    ...config,
    ...(config.initialWeights !== undefined && { initialWeights: path(config.initialWeights) }),
    ...(config.startFrom !== undefined && { startFrom: path(config.startFrom) }),
    ...(config.tokenizer !== undefined && { tokenizer: path(config.tokenizer) }),
    data: config.data.map((set) => located(set, path)),
    ...(config.validation && { validation: config.validation.map((set) => located(set, path)) }),
  };
}

function located(set: TrainingDataSet, path: (relative: string) => string): TrainingDataSet {
  const { sceneGraphs, visualGenome: genome, pseudoAnnotations: pseudo, images } = set;
  return {
    images: path(images),
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

/** @throws InputError where a file is missing */
export async function dataSets(sets: readonly TrainingDataSet[]): Promise<DataSet[]> {
  return Promise.all(
    sets.map(async ({ sceneGraphs, visualGenome: genome, pseudoAnnotations: pseudo, images }) => {
      if (!(await stat(images).catch(() => null))?.isDirectory()) throw new InputError(images, 'no such image folder');
      const source =
        sceneGraphs !== undefined
          ? sceneGraphLines({ sceneGraphs })
          : genome
            ? visualGenome(genome)
            : pseudoAnnotations({ ...pseudo!, images });
      await source.files();
      return { source, images };
    }),
  );
}
