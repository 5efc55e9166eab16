import { OptionError } from '../errors.js';
import { checkConfig, type ModelConfig, officialCompat, preset } from '../model/config.js';
import type { TrainingConfig } from '../records/training-config.js';
import { schemaProblem } from '../records/validate.js';
import { type AdamWOptions, officialAdamW } from './adam-w.js';
import { officialViews, spriteViews, tinyViews, type Views } from './augment.js';
import type { BatchStreamOptions } from './batch-stream.js';
import { DecodedImages } from './decoded-images.js';
import { type Noise, officialNoise } from './denoising.js';
import { officialSchedule, type Schedule } from './schedule.js';
import { officialTexts, type Paraphrases, type TextTargets } from './text-set.js';

/** A configuration with everything in it that decides what a run computes, and in what steps. */
export interface TaggerSettings {
  readonly model: ModelConfig;
  readonly relationThreshold: number;
  readonly seed: number;
  readonly epochs: number;
  /** Null for as many as the epochs have. */
  readonly steps: number | null;
  readonly batch: number;
  readonly accumulate: number;
  readonly texts: TextTargets;
  readonly paraphrases: Paraphrases | null;
  readonly noise: Noise;
  readonly views: Views;
  readonly optimizer: AdamWOptions;
  readonly schedule: Schedule;
  readonly shuffleBuffer: number;
}

/**
 * Checks a configuration and fills in what it leaves out: the official values.
 * @throws OptionError that names the first field which is wrong, and what was expected
 */
export function taggerSettings(config: unknown): TaggerSettings {
  const problem = schemaProblem('training', config);
  if (problem !== null) throw new OptionError('training', problem);
  const given = config as TrainingConfig;
  const base = preset(given.model);
  if (base.queries !== 'tagger') throw new OptionError('training', `${base.name} is no tagger`);
  const model: ModelConfig = {
    ...base,
    ...given.modelOptions,
    ...(given.compat && { compat: officialCompat }),
  };
  checkConfig(model);
  for (const [list, sets] of Object.entries({ data: given.data, validation: given.validation ?? [] }))
    for (const [k, { sceneGraphs, visualGenome }] of sets.entries())
      if ((sceneGraphs === undefined) === (visualGenome === undefined))
        throw new OptionError('training', `/${list}/${k}, expected one of sceneGraphs and visualGenome`);
  const views = viewsOf(given.views ?? 'official');
  const sides = views.crop?.sides;
  if (sides && sides[0] > sides[1])
    throw new OptionError('training', `/views/crop/sides [${sides}], expected the smaller one first`);
  return {
    model,
    relationThreshold: given.relationThreshold ?? 0.2,
    seed: given.seed ?? 1,
    epochs: given.epochs,
    steps: given.steps ?? null,
    batch: given.batch,
    accumulate: given.accumulate ?? 1,
    texts: given.texts ?? officialTexts,
    paraphrases: given.paraphrases ?? null,
    noise: given.noise ?? officialNoise,
    views,
    optimizer: { ...officialAdamW, ...given.optimizer },
    schedule: given.schedule ?? officialSchedule,
    shuffleBuffer: given.shuffleBuffer ?? 2000,
  };
}

/**
 * What batches of a run are made by.
 * @param keepImages megabytes of decoded images that stay in memory
 */
export const batchOptions = (settings: TaggerSettings, keepImages = 0): BatchStreamOptions => ({
  seed: settings.seed,
  batch: settings.batch,
  pairs: settings.model.pairs,
  texts: settings.texts,
  ...(settings.paraphrases && { paraphrases: settings.paraphrases }),
  noise: settings.noise,
  compat: settings.model.compat,
  views: settings.views,
  training: true,
  buffer: settings.shuffleBuffer,
  decoded: new DecodedImages(settings.views, keepImages * 1e6),
});

/** Steps of the whole run: so many as its epochs have whole batches where all images can be read. */
export function totalSteps({ epochs, steps, batch, accumulate }: TaggerSettings, images: number): number {
  const batches = Math.floor(images / batch) * epochs;
  return Math.max(1, Math.min(Math.floor(batches / accumulate), steps ?? Number.POSITIVE_INFINITY));
}

function viewsOf(views: NonNullable<TrainingConfig['views']>): Views {
  if (views === 'official') return officialViews;
  if (views === 'tiny') return tinyViews;
  if (views === 'sprites') return spriteViews;
  const { crop, decoded, ...rest } = views;
  return {
    ...rest,
    ...(decoded !== undefined && { decoded }),
    ...(crop && { crop: { ...crop, sides: [crop.sides[0]!, crop.sides[1]!] as const } }),
  };
}
