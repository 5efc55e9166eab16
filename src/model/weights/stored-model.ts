import { InputError, OptionError } from '../../errors.js';
import { parseNestedJson } from '../../files/json/parse-json.js';
import { schemaProblem } from '../../records/schema-problem.js';
import { checkConfig, type ModelConfig, noCompat } from '../model-config.js';
import { preset } from '../presets.js';

/** Size in pixels to which images are resized: length of the shorter side and limit of the longest, see `targetSize`. */
export interface StoredView {
  readonly shorter: number;
  readonly longest: number;
}

/** Fixed set of labels that a model was trained with. */
export interface StoredLabels {
  /** Object labels in training order, without "no objects". */
  readonly objects: readonly string[];
  /** Relation labels in training order. */
  readonly relations: readonly string[];
}

/** Metadata about the model in the header of a weights file. Fields that the header lacks are omitted. */
export interface StoredModel {
  /** Configuration of the model. */
  readonly config?: ModelConfig;
  /** Size to which images are resized. */
  readonly view?: StoredView;
  /** Labels that the model was trained with. */
  readonly labels?: StoredLabels;
}

type Metadata = Readonly<Record<string, string>>;

const FIELDS = ['config', 'view', 'labels'] as const;
const MAX_FIELD_LENGTH = 4 << 20;

/**
 * Converts metadata about a model to the strings of a header, for `writeSafetensors`.
 *
 * @example
 * ```ts
 * import { initializeWeights, modelMetadata, RlipV2, tiny, useBackend, writeSafetensors } from 'relflow/model';
 *
 * await useBackend('wasm');
 * const model = new RlipV2(tiny.tagger);
 * initializeWeights(model.parameters, 1);
 * const weights = [...model.parameters.values()].map((p) => ({ name: p.name, shape: p.shape, read: () => p.values() }));
 * const metadata = modelMetadata({ config: tiny.tagger, view: { shorter: 128, longest: 160 } });
 * await writeSafetensors('tiny.safetensors', weights, { metadata });
 * ```
 */
export function modelMetadata({ config, view, labels }: StoredModel): Record<string, string> {
  return {
    ...(config && { model: config.name, config: JSON.stringify(config) }),
    ...(view && { view: JSON.stringify(view) }),
    ...(labels && { labels: JSON.stringify(labels) }),
  };
}

/**
 * Reads the metadata about the model from a header: a complete configuration, or the name of a preset. Headers are untrusted
 * input: sizes are bounded, and every field is checked.
 * @param file name of the file, for errors
 * @throws InputError if a field is not valid JSON, does not match its schema, or names an unknown model
 *
 * @example
 * ```ts
 * import { openSafetensors, storedModel } from 'relflow/model';
 *
 * const file = await openSafetensors('tagger.safetensors');
 * const { config, view, labels } = storedModel(file.name, file.metadata);
 * console.log(config?.name, view?.shorter, labels?.relations.length);
 * await file.close();
 * ```
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
      refuse(`has a field ${field} of ${text.length} characters, expected at most ${MAX_FIELD_LENGTH}`);
    try {
      fields[field] = parseNestedJson(text);
    } catch (cause) {
      refuse(`has a field ${field} that is not valid JSON`, cause);
    }
  }
  const problem = schemaProblem('model', fields);
  if (problem !== null) refuse(`describes an unknown model: ${problem}`);
  const { config: storedConfig, ...rest } = fields as StoredModel;
  const checked = (make: () => ModelConfig): ModelConfig => {
    try {
      const config = make();
      checkConfig(config);
      return config;
    } catch (cause) {
      if (!(cause instanceof OptionError)) throw cause;
      return refuse(`describes an unknown model: ${cause.message}`, cause);
    }
  };
  const name = metadata['model'];
  if (storedConfig === undefined)
    return { ...rest, ...(name !== undefined && { config: checked(() => preset(name)) }) };
  return {
    ...rest,
    config: checked(() => {
      const { compat, boxContent = false, textDropout = true } = storedConfig;
      const unknown = Object.keys(compat).find((key) => !Object.hasOwn(noCompat, key));
      if (unknown !== undefined)
        throw new OptionError('model', `unknown compat '${unknown}', expected ${Object.keys(noCompat).join(', ')}`);
      return { ...storedConfig, boxContent, textDropout, compat: { ...noCompat, ...compat } };
    }),
  };
}
