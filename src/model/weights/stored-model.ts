import { InputError, OptionError } from '../../errors.js';
import { schemaProblem } from '../../records/schema-problem.js';
import { checkConfig, type ModelConfig, noCompat } from '../model-config.js';
import { preset } from '../presets.js';

/** Lengths of the sides that images are brought to, see `targetSize`. */
export interface StoredView {
  readonly shorter: number;
  readonly longest: number;
}

/** The labels that a model was trained with, all of them at once. */
export interface StoredLabels {
  readonly objects: readonly string[];
  /** As they were learnt; "no objects" is not among the objects. */
  readonly relations: readonly string[];
}

/** What the header of a weights file tells of its model; what it does not tell is absent. */
export interface StoredModel {
  readonly config?: ModelConfig;
  readonly view?: StoredView;
  readonly labels?: StoredLabels;
}

type Metadata = Readonly<Record<string, string>>;

const FIELDS = ['config', 'view', 'labels'] as const;
const MOST_TEXT = 4 << 20;

/** As a header's metadata. */
export function modelMetadata({ config, view, labels }: StoredModel): Record<string, string> {
  return {
    ...(config && { model: config.name, config: JSON.stringify(config) }),
    ...(view && { view: JSON.stringify(view) }),
    ...(labels && { labels: JSON.stringify(labels) }),
  };
}

/**
 * Reads what a header tells of its model: a whole configuration, or the name of a preset. Nobody vouches for a header, so
 * that sizes are bounded and everything is checked before a model is made of it.
 * @param file to be named in errors
 * @throws InputError where a field is no JSON, of unknown form, or names an unknown model
 */
export function storedModel(file: string, metadata: Metadata): StoredModel {
  const refuse = (problem: string, cause?: unknown): never => {
    throw new InputError(file, `its header ${problem}`, undefined, { cause });
  };
  const found: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const text = metadata[field];
    if (text === undefined) continue;
    if (text.length > MOST_TEXT) refuse(`has a ${field} of ${text.length} characters, at most ${MOST_TEXT} are read`);
    try {
      found[field] = JSON.parse(text);
    } catch (cause) {
      refuse(`has a ${field} that is no JSON`, cause);
    }
  }
  const problem = schemaProblem('model', found);
  if (problem !== null) refuse(`tells of no model that relflow knows: ${problem}`);
  const { config: given, ...rest } = found as StoredModel;
  const fitting = (make: () => ModelConfig): ModelConfig => {
    try {
      const config = make();
      checkConfig(config);
      return config;
    } catch (cause) {
      if (!(cause instanceof OptionError)) throw cause;
      return refuse(`tells of no model that relflow knows: ${cause.message}`, cause);
    }
  };
  const name = metadata['model'];
  if (given === undefined) return { ...rest, ...(name !== undefined && { config: fitting(() => preset(name)) }) };
  return {
    ...rest,
    config: fitting(() => {
      const { compat, boxContent = false, textDropout = true } = given;
      const unknown = Object.keys(compat).find((key) => !(key in noCompat));
      if (unknown !== undefined) throw new OptionError('model', `unknown compat '${unknown}'`);
      return { ...given, boxContent, textDropout, compat: { ...noCompat, ...compat } };
    }),
  };
}
