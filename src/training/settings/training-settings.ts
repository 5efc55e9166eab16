import { type RlipSettings, rlipSettings } from './rlip-settings.js';
import { type TaggerSettings, taggerSettings } from './tagger-settings.js';

/** The settings that decide the trained weights, by `task`. */
export type TrainingSettings = TaggerSettings | RlipSettings;

/**
 * Checks a training configuration of any task and fills in omitted fields with the official values.
 * @throws OptionError naming the first wrong field, and what was expected
 */
export const trainingSettings = (config: unknown): TrainingSettings =>
  (config as { readonly task?: unknown } | null)?.task === 'tagger' ? taggerSettings(config) : rlipSettings(config);
