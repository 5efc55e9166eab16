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
const MAX_FIELD_LENGTH = 4 << 20;

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
  const fields: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const text = metadata[field];
    if (text === undefined) continue;
    if (text.length > MAX_FIELD_LENGTH)
      refuse(`has a ${field} of ${text.length} characters, at most ${MAX_FIELD_LENGTH} are read`);
    try {
      fields[field] = JSON.parse(text);
    } catch (cause) {
      refuse(`has a ${field} that is no JSON`, cause);
    }
  }
  const problem = schemaProblem('model', fields);
  if (problem !== null) refuse(`tells of no model that relflow knows: ${problem}`);
  const { config: storedConfig, ...rest } = fields as StoredModel;
  const checked = (make: () => ModelConfig): ModelConfig => {
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
  if (storedConfig === undefined)
    return { ...rest, ...(name !== undefined && { config: checked(() => preset(name)) }) };
  return {
    ...rest,
    config: checked(() => {
      const { compat, boxContent = false, textDropout = true } = storedConfig;
      const unknown = Object.keys(compat).find((key) => !(key in noCompat));
      if (unknown !== undefined) throw new OptionError('model', `unknown compat '${unknown}'`);
      return { ...storedConfig, boxContent, textDropout, compat: { ...noCompat, ...compat } };
    }),
  };
}
