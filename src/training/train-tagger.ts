import type { TaggerSettings } from './settings/run-settings.js';
import { type TrainingResult, trainModel } from './train-model.js';
import type { TrainOptions } from './training-run.js';

export type TrainTaggerOptions = TrainOptions & { readonly settings: TaggerSettings };

/** Trains an R-Tagger with denoising: see `trainModel`. */
export const trainTagger = (options: TrainTaggerOptions): Promise<TrainingResult> => trainModel(options);
