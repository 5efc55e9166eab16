import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { pipelines } from '../../pipelines/index.js';
import { buildRecipe, type OptionsSchema, type Recipe, recipeFlagName } from '../graph/recipe.js';
import { type Graph, OptionError } from '../index.js';
import type { TSchema } from '../records/type.js';
import { exportAs, exportFormat } from '../sinks/exports/export-run.js';
import { visibleText } from './visible-text.js';

/** Returns whether an argument is the path of a user's module and not the name of a pipeline. */
export function isModule(name: string): boolean {
  return /\.[cm]?[jt]s$/.test(name);
}

/**
 * Returns a pipeline that comes with relflow, or the default export of a user's module.
 *
 * @throws OptionError when neither exists
 */
export async function findRecipe(name: string): Promise<Recipe> {
  if (isModule(name)) {
    let module: { default?: unknown };
    try {
      module = (await import(pathToFileURL(resolve(name)).href)) as { default?: unknown };
    } catch (error) {
      throw new OptionError('run', `cannot load ${name}: ${(error as Error).message}`);
    }
    const found = module.default as Partial<Recipe> | undefined;
    if (typeof found?.build !== 'function' || typeof found.options?.properties !== 'object') {
      throw new OptionError(
        'run',
        `${name}: the default export is not a recipe, expected recipe({ … }); see docs/pipelines.md`,
      );
    }
    return found as Recipe;
  }
  const known = pipelines as readonly unknown[] as readonly Recipe[];
  const found = known.find((recipe) => recipe.name === name);
  if (!found) {
    const names = known.map((recipe) => recipe.name).join(', ');
    throw new OptionError('run', `unknown pipeline '${name}', expected one of ${names} or a path to a module`);
  }
  return found;
}

/** Returns every pipeline, and the user's module if the arguments name one. */
export async function recipesFor(args: readonly string[]): Promise<{ name: string; recipe: Recipe }[]> {
  const named = pipelines.map(({ name }) => name);
  const module = ['run', 'plan'].includes(args[0] ?? '') ? args.slice(1, 2).find(isModule) : undefined;
  const names = module === undefined ? named : [...named, module];
  return Promise.all(names.map(async (name) => ({ name, recipe: await findRecipe(name) })));
}

/**
 * Makes a subcommand with the options of a recipe, followed by those of the command itself.
 *
 * @throws OptionError when the recipe and the command have an option of the same name
 */
export function recipeCommand(
  name: string,
  { summary: line = '', options, examples = [] }: Recipe,
  own: readonly Option[],
): Command {
  const summary = visibleText(line);
  const command = new Command(name).summary(summary).description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`);
  const required = new Set<string>(options.required);
  const taken = new Set(['help', ...own.map((option) => option.attributeName())]);
  for (const [property, schema] of Object.entries(options.properties)) {
    if (taken.has(property)) {
      throw new OptionError(name, `its option '${property}' has the name of an option of relflow; choose another`);
    }
    const option = flag(property, schema);
    command.addOption(required.has(property) && !('default' in schema) ? option.makeOptionMandatory() : option);
  }
  for (const option of own) command.addOption(option);
  command.addHelpText(
    'after',
    ['', 'Examples:', ...examples.map((example) => `  relflow ${visibleText(example)}`)].join('\n'),
  );
  return command;
}

/** Makes the option `--export`, a list of formats such as `rlipv2,page`. */
export function exportOption(description: string): Option {
  return new Option('--export <formats>', description)
    .argParser((text) => [...new Set(text.split(',').map((part) => part.trim()))])
    .default([], 'none');
}

/**
 * Builds the graph of a recipe with its exports, and the options that a resume needs.
 *
 * @throws OptionError when a format or an option is unknown or out of range
 */
export async function buildGraph(
  recipe: Recipe,
  given: Readonly<Record<string, unknown>>,
  exports: readonly string[],
): Promise<{ graph: Graph; options: Record<string, unknown> }> {
  const finishers = exports.map((format) => exportAs(exportFormat(format)));
  const built = await buildRecipe(recipe, given);
  for (const finisher of finishers) built.graph.finish(finisher);
  return built;
}

/** Picks the given options of a recipe from all options of its command. */
export function recipeOptions(
  schema: OptionsSchema,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(Object.keys(schema.properties).flatMap((key) => (key in given ? [[key, given[key]]] : [])));
}

function flag(property: string, schema: TSchema): Option {
  const {
    type,
    description: given = '',
    default: preset,
  } = schema as { type?: string; description?: string; default?: unknown };
  const name = recipeFlagName(property);
  const description = visibleText(given);
  const about =
    preset === undefined || preset === false || preset === true ? description : `${description} (default: ${preset})`;
  // The schema fills in defaults, so that omitted options stay undefined here.
  if (type === 'boolean') return new Option(preset === true ? `--no-${name}` : `--${name}`, about).default(undefined);
  const option = new Option(`--${name} <${type === 'string' ? 'value' : 'number'}>`, about);
  return type === 'string' ? option : option.argParser(number);
}

/**
 * Parses a number.
 *
 * @throws InvalidArgumentError when the text is not a number
 */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}
