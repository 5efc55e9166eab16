import { rlipSettings } from './rlip-settings.js';
import type { RunSettings } from './run-settings.js';
import { taggerSettings } from './tagger-settings.js';

/**
 * Checks a training configuration of any task and fills in omitted fields with the official values.
 * @throws OptionError naming the first wrong field, and what was expected
 */
export const trainingSettings = (config: unknown): RunSettings =>
  (config as { readonly task?: unknown } | null)?.task === 'tagger' ? taggerSettings(config) : rlipSettings(config);
