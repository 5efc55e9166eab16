import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { readConfigJson } from '../files/read-config-json.js';
import { expectedValue } from '../graph/expected-value.js';
import { OPTION_ANNOTATIONS, type Recipe } from '../graph/recipe.js';
import { OptionError } from '../index.js';
import type { TSchema } from '../records/type.js';
import { importModule, isModule } from './import-module.js';
import { nearestName } from './nearest-name.js';
import { outputSchemas } from './output-options.js';

/**
 * Reads a configuration of a pipeline: a JSON file with an object of options, or a module whose default export is one. Running a
 * module runs its code, so `file` must come from a person, never from a folder.
 *
 * Relative paths in it mean what they mean on the command line: they are resolved against the current folder.
 *
 * @returns options of the recipe and of the output, without `recipe` and `$schema`
 * @throws OptionError naming the file, the option, what was found and what was expected
 */
export async function readConfig(file: string, recipe: Recipe): Promise<Record<string, unknown>> {
  const value = isModule(file)
    ? await importModule('--config', file)
    : await readConfigJson(file, 'an object of options, or a module (.ts, .mjs)');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const expected = isModule(file)
      ? 'expected its default export to be an object of options'
      : 'expected an object of options';
    throw new OptionError(file, `contains ${foundText(value)}, ${expected}`);
  }
  const { recipe: made, $schema: _, ...options } = value as Record<string, unknown>;
  if (made !== undefined && made !== recipe.name)
    throw new OptionError(file, `is for the pipeline '${made}', but the command names '${recipe.name}'`);
  const problems = optionProblems({ ...recipe.options.properties, ...outputSchemas }, options);
  if (problems.length > 0) throw new OptionError(file, problems.join('\n'));
  return options;
}

const ajv = new Ajv2020({ strict: false, allErrors: true, verbose: true, validateSchema: false });
ajv.addVocabulary([...OPTION_ANNOTATIONS]);

/** Describes each option that is unknown or does not fit its schema, one line each. */
function optionProblems(properties: Readonly<Record<string, TSchema>>, options: Record<string, unknown>): string[] {
  const check = ajv.compile({ type: 'object', properties, additionalProperties: false });
  if (check(options)) return [];
  const lines = (check.errors ?? []).map((error) => problemText(error, properties));
  return [...new Set(lines)];
}

function problemText(error: ErrorObject, properties: Readonly<Record<string, TSchema>>): string {
  if (error.keyword === 'additionalProperties') {
    const name = String(error.params['additionalProperty']);
    const nearest = nearestName(name, Object.keys(properties));
    return `unknown option '${name}'${nearest === undefined ? '; see --help for the options' : `, did you mean '${nearest}'?`}`;
  }
  const [, option = '', ...inside] = error.instancePath.split('/');
  const place = inside.length > 0 ? ` at /${inside.join('/')}` : '';
  return `option '${option}' is ${foundText(error.data)}${place}, expected ${expectedValue(properties[option] ?? {})}`;
}

function foundText(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
