import { checkImageFolder } from '../../files/image-folder.js';
import type { AnnotatedSetName } from '../../records/annotated-set.js';
import type { TrainingConfig, TrainingDataSet } from '../../records/training-config.js';
import { annotatedSetName, annotatedSource } from '../../sources/annotated-source.js';
import { pseudoAnnotations } from '../../sources/pseudo-annotations.js';
import { sceneGraphLines } from '../../sources/scene-graph-lines.js';
import { visualGenome } from '../../sources/visual-genome.js';
import { dataOptions, validationOptions } from '../settings/data-options.js';
import type { TrainingSettings } from '../settings/training-settings.js';
import { type DataSet, TrainingData } from './training-data.js';

/**
 * Opens the data sets of a configuration, and counts their images and names.
 * @throws InputError when an image folder or an annotation file is missing
 * @throws RelflowError (`no-data`) when no image can be trained on
 * @throws the signal's reason once it is aborted
 */
export async function openTrainingData(
  { data, validation }: Pick<TrainingConfig, 'data' | 'validation'>,
  settings: TrainingSettings,
  signal: AbortSignal,
): Promise<{ readonly data: TrainingData; readonly validation?: TrainingData }> {
  return {
    data: await TrainingData.open(await dataSets(data, settings), dataOptions(settings), signal),
    ...(validation && {
      validation: await TrainingData.open(await dataSets(validation, settings), validationOptions(settings), signal),
    }),
  };
}

const dataSets = (
  sets: readonly TrainingDataSet[],
  { augmentation: { compat = false } }: TrainingSettings,
): Promise<DataSet[]> =>
  Promise.all(
    sets.map(async ({ sceneGraphs, visualGenome: genome, pseudoAnnotations: pseudo, images, ...annotated }) => {
      await checkImageFolder(images);
      const source =
        sceneGraphs !== undefined
          ? sceneGraphLines({ sceneGraphs })
          : genome
            ? visualGenome(genome)
            : pseudo
              ? pseudoAnnotations({ ...pseudo, images, compat })
              : annotatedSource(annotated, { images });
      await source.files();
      return { source, images, keepsImagesWithoutRelations: withoutRelations.has(annotatedSetName(annotated)) };
    }),
  );

/** The data sets whose images without relations the official loaders train on. Source: RLIPv2, datasets/hico.py, vcoco.py, oi_sgg.py. */
const withoutRelations: ReadonlySet<AnnotatedSetName | undefined> = new Set(['hico', 'vcoco', 'openImages']);
