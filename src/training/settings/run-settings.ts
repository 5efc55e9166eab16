import { OptionError } from '../../errors.js';
import { checkConfig, type ModelConfig, officialCompat } from '../../model/model-config.js';
import { preset } from '../../model/presets.js';
import { schemaProblem } from '../../records/schema-problem.js';
import type { TrainingConfig } from '../../records/training-config.js';
import {
  type AugmentationOptions,
  officialAugmentation,
  spriteAugmentation,
  tinyAugmentation,
} from '../data/augment-image.js';
import type { AugmentedImageReader } from '../data/augmented-image-reader.js';
import type { BatchStreamOptions } from '../data/batch-stream.js';
import type { Noise } from '../data/denoising.js';
import { type LabelTargets, officialLabelOptions, type Paraphrases } from '../data/label-set.js';
import type { DataOptions } from '../data/training-data.js';
import type { HeldOut, TrainingVocabulary } from '../data/training-sample.js';
import { type AdamWOptions, officialAdamW } from '../optimizer/adam-w.js';
import { officialSchedule, type Schedule } from '../optimizer/schedule.js';
import type { RlipLossOptions } from '../rlip-step.js';

/** What decides what a run of any task computes, and in what steps. */
interface CommonSettings {
  readonly model: ModelConfig;
  readonly relationThreshold: number;
  /** Relations that are not learnt from. */
  readonly heldOut: readonly HeldOut[];
  /** The share of images that is learnt from, and drawn so that every name comes; null for all. */
  readonly fewShot: number | null;
  readonly seed: number;
  readonly epochs: number;
  /** Null for as many as the epochs have. */
  readonly steps: number | null;
  readonly batch: number;
  readonly accumulate: number;
  readonly texts: LabelTargets;
  readonly views: AugmentationOptions;
  readonly optimizer: AdamWOptions;
  readonly schedule: Schedule;
  /** How slowly the mean of the weights follows them, in [0, 1); null for none. */
  readonly average: number | null;
  readonly shuffleBuffer: number;
}

/** A configuration of a tagger with everything in it that decides what a run computes. */
export interface TaggerSettings extends CommonSettings {
  readonly task: 'tagger';
  /** Relations in other words; null for never. */
  readonly paraphrases: Paraphrases | null;
  readonly noise: Noise;
}

/** The same of RLIPv2: pre-training, or fine-tuning for a closed set of names. */
export interface RlipSettings extends CommonSettings {
  readonly task: 'rlip' | 'finetune';
  readonly losses: RlipLossOptions;
  /** Of queries beside the learned ones that begin at the true pairs; null for none. */
  readonly noise: Noise | null;
  /** All names that there are, which every batch reads; null where texts are drawn. */
  readonly vocabulary: TrainingVocabulary | null;
}

export type RunSettings = TaggerSettings | RlipSettings;

/**
 * A checked configuration with what it leaves out filled in: the official values.
 * @throws OptionError that names the first field which is wrong, and what was expected
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
    for (const [k, { sceneGraphs, visualGenome, pseudoAnnotations }] of sets.entries())
      if ([sceneGraphs, visualGenome, pseudoAnnotations].filter((one) => one !== undefined).length !== 1)
        throw new OptionError(
          'training',
          `/${list}/${k}, expected one of sceneGraphs, visualGenome and pseudoAnnotations`,
        );
  const views = viewsOf(given.views ?? 'official');
  const sides = views.crop?.sides;
  if (sides && sides[0] > sides[1])
    throw new OptionError('training', `/views/crop/sides [${sides}], expected the smaller one first`);
  return {
    given,
    model,
    relationThreshold: given.relationThreshold ?? 0.2,
    heldOut: given.heldOut ?? [],
    fewShot: given.fewShot ?? null,
    seed: given.seed ?? 1,
    epochs: given.epochs,
    steps: given.steps ?? null,
    batch: given.batch,
    accumulate: given.accumulate ?? 1,
    texts: given.texts ?? officialLabelOptions,
    views,
    optimizer: { ...officialAdamW, ...given.optimizer },
    schedule: given.schedule ?? officialSchedule,
    average: given.average ?? null,
    shuffleBuffer: given.shuffleBuffer ?? 2000,
  };
}

/** Which images and relations a run learns from. */
export const dataOptions = (settings: RunSettings): DataOptions => ({
  ...validationOptions(settings),
  heldOut: settings.heldOut,
  ...(settings.fewShot !== null && { fewShot: { share: settings.fewShot, seed: settings.seed } }),
});

/** What is watched is all that holds: held-out relations too. */
export const validationOptions = (settings: RunSettings): DataOptions => ({
  relationThreshold: settings.relationThreshold,
  ...(settings.task === 'finetune' && { vocabulary: settings.vocabulary }),
});

/**
 * What batches of a run are made by.
 * @param prefetch batches whose images are read ahead; those of the one at hand are read at once in any case
 */
export const batchOptions = (
  settings: RunSettings,
  reader: AugmentedImageReader,
  prefetch = 0,
): BatchStreamOptions => ({
  seed: settings.seed,
  batch: settings.batch,
  pairs: settings.model.pairs,
  texts: settings.texts,
  compat: settings.model.compat,
  training: true,
  buffer: settings.shuffleBuffer,
  reader,
  ahead: settings.batch * Math.max(1, prefetch),
  ...(settings.task === 'tagger'
    ? {
        noise: settings.noise,
        negatives: true,
        vocabulary: null,
        ...(settings.paraphrases && { paraphrases: settings.paraphrases }),
      }
    : { noise: settings.noise, negatives: false, vocabulary: settings.vocabulary }),
});

/** Steps of the whole run: so many as its epochs have whole batches where all images can be read. */
export function totalSteps({ epochs, steps, batch, accumulate }: RunSettings, images: number): number {
  const batches = Math.floor(images / batch) * epochs;
  return Math.max(1, Math.min(Math.floor(batches / accumulate), steps ?? Number.POSITIVE_INFINITY));
}

function viewsOf(views: NonNullable<TrainingConfig['views']>): AugmentationOptions {
  if (views === 'official') return officialAugmentation;
  if (views === 'tiny') return tinyAugmentation;
  if (views === 'sprites') return spriteAugmentation;
  const { crop, decoded, ...rest } = views;
  return {
    ...rest,
    ...(decoded !== undefined && { decoded }),
    ...(crop && { crop: { ...crop, sides: [crop.sides[0]!, crop.sides[1]!] as const } }),
  };
}
