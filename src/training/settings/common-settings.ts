import { OptionError } from '../../errors.js';
import { checkConfig, type ModelConfig, officialCompat } from '../../model/model-config.js';
import { preset } from '../../model/presets.js';
import { annotatedSetNames } from '../../records/annotated-set.js';
import { schemaProblem } from '../../records/schema-problem.js';
import type { TrainingConfig } from '../../records/training-config.js';
import { coco80Categories } from '../../vocabulary/categories.js';
import { hicoInteractions, hicoUnseen, hicoVerbs } from '../../vocabulary/hico.js';
import {
  type AugmentationOptions,
  officialAugmentation,
  spriteAugmentation,
  tinyAugmentation,
} from '../data/augment-image.js';
import { type LabelCounts, officialLabelCounts } from '../data/label-set.js';
import type { HeldOut } from '../data/training-sample.js';
import { type AdamWOptions, officialAdamW } from '../optimizer/adam-w.js';
import { officialSchedule, type Schedule } from '../optimizer/schedule.js';

/** The settings of any task that decide the trained weights; all defaults are filled in. */
export interface CommonSettings {
  readonly model: ModelConfig;
  readonly relationThreshold: number;
  /** Relations that are removed from the training data. */
  readonly heldOut: readonly HeldOut[];
  /** The fraction of images that is trained on, drawn so that every name occurs, or a file that lists them; null for all. */
  readonly fewShot: number | string | null;
  readonly seed: number;
  readonly epochs: number;
  /** Upper bound of the steps; null for all steps of the epochs. */
  readonly steps: number | null;
  /** Images of a batch. */
  readonly batchSize: number;
  /** Batches of a step. */
  readonly accumulationSteps: number;
  readonly labels: LabelCounts;
  readonly augmentation: AugmentationOptions;
  readonly optimizer: AdamWOptions;
  readonly schedule: Schedule;
  /** Decay of the weights' exponential moving average, in [0, 1); null for no average. */
  readonly emaDecay: number | null;
  /** Width and height of a batch are padded to a multiple of it, in pixels; omitted for no padding. */
  readonly canvasMultiple?: number;
  /** In images. */
  readonly shuffleBuffer: number;
}

/**
 * Checks a configuration and fills in omitted fields with the official values.
 * @throws OptionError naming the first wrong field, and what was expected
 */
export function commonSettings(config: unknown): CommonSettings & { readonly given: TrainingConfig } {
  const problem = schemaProblem('training', config);
  if (problem !== null) throw new OptionError('training', problem);
  const given = config as TrainingConfig;
  const model: ModelConfig = {
    ...preset(given.model),
    ...given.modelOptions,
    ...(given.compat && { compat: officialCompat }),
  };
  checkConfig(model);
  for (const [list, sets] of Object.entries({ data: given.data, validation: given.validation ?? [] }))
    for (const [k, { images: _, ...forms }] of sets.entries()) {
      const found = Object.values(forms).filter((form) => form !== undefined).length;
      if (found !== 1)
        throw new OptionError(
          'training',
          `/${list}/${k} has ${found} annotations, expected exactly one of sceneGraphs, visualGenome, pseudoAnnotations, ${annotatedSetNames.join(', ')}`,
        );
    }
  const { evaluation } = given;
  const benchmarks = [evaluation?.hico, evaluation?.vcoco, evaluation?.openImages];
  if (evaluation && benchmarks.filter((set) => set !== undefined).length !== 1)
    throw new OptionError('training', '/evaluation expects exactly one of hico, vcoco and openImages');
  if (evaluation && given.task !== 'finetune')
    throw new OptionError('training', `/evaluation is for the task finetune, but /task is ${given.task}`);
  const augmentation = augmentationOf(given.augmentation ?? 'official');
  const size = augmentation.crop?.size;
  if (size && size[0] > size[1])
    throw new OptionError('training', `/augmentation/crop/size [${size}], expected the smaller number first`);
  return {
    given,
    model,
    relationThreshold: given.relationThreshold ?? 0.2,
    heldOut: heldOutOf(given.heldOut ?? []),
    fewShot: given.fewShot ?? null,
    seed: given.seed ?? 1,
    epochs: given.epochs,
    steps: given.steps ?? null,
    batchSize: given.batchSize,
    accumulationSteps: given.accumulationSteps ?? 1,
    labels: given.labels ?? officialLabelCounts,
    augmentation: given.compat ? { ...augmentation, compat: true } : augmentation,
    optimizer: { ...officialAdamW, ...given.optimizer },
    schedule: given.schedule ?? officialSchedule,
    emaDecay: given.emaDecay ?? null,
    ...(given.canvasMultiple !== undefined && { canvasMultiple: given.canvasMultiple }),
    shuffleBuffer: given.shuffleBuffer ?? 2000,
  };
}

/** Returns the patterns of relations that are held out; a setting of HICO-DET stands for its unseen combinations. */
function heldOutOf(given: NonNullable<TrainingConfig['heldOut']>): readonly HeldOut[] {
  if (typeof given !== 'string') return given;
  return hicoUnseen[given].map((index) => {
    const { verb, object } = hicoInteractions[index]!;
    return { predicate: hicoVerbs[verb - 1]!, object: cocoNames.get(object)! };
  });
}

const cocoNames = new Map(coco80Categories.map(({ id, name }) => [id, name]));

function augmentationOf(given: NonNullable<TrainingConfig['augmentation']>): AugmentationOptions {
  if (given === 'official') return officialAugmentation;
  if (given === 'tiny') return tinyAugmentation;
  if (given === 'sprites') return spriteAugmentation;
  const { crop, ...rest } = given;
  return { ...rest, ...(crop && { crop: { ...crop, size: [crop.size[0]!, crop.size[1]!] as const } }) };
}
