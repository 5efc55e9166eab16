import { Command, InvalidArgumentError, Option } from 'commander';
import { pipelines } from '../../pipelines/index.js';
import { MAIN } from '../../pipelines/option-groups.js';
import { buildRecipe, type OptionsSchema, type Recipe, recipeFlagName } from '../graph/recipe.js';
import { type Graph, OptionError } from '../index.js';
import type { TSchema } from '../records/type.js';
import { exportFormat } from '../sinks/exports/export-formats.js';
import { exportAs } from '../sinks/exports/export-run.js';
import { importModule, isModule } from './import-module.js';
import { didYouMean } from './nearest-name.js';
import { visibleText } from './visible-text.js';

/**
 * Returns a pipeline that comes with relflow, or the default export of a user's module.
 *
 * @throws OptionError when neither exists
 */
export async function findRecipe(name: string): Promise<Recipe> {
  if (isModule(name)) {
    const found = (await importModule('run', name)) as Partial<Recipe> | undefined;
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
    const hint = didYouMean(
      name,
      known.map((recipe) => recipe.name),
    );
    throw new OptionError('run', `unknown pipeline '${name}'${hint}, expected one of ${names} or a path to a module`);
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

/** Heading of the options that do not concern the pipeline. */
export const OTHER = 'Other options:';

/**
 * Makes a subcommand with the options of a recipe and of the command itself, in groups; the main ones come first.
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
  const required = new Set<string>(requiredOptions(options));
  const taken = new Set(['help', 'recipe', ...own.map((option) => option.attributeName())]);
  const all = Object.entries(options.properties).map(([property, schema]) => {
    if (taken.has(property))
      throw new OptionError(name, `its option '${property}' has the name of an option of relflow; choose another`);
    return flag(property, schema, required.has(property));
  });
  all.push(...own, new Option('-h, --help', 'show this help').helpGroup(OTHER));
  const isMain = ({ helpGroupHeading }: Option) => helpGroupHeading === `${MAIN}:`;
  const inOrder = [...all.filter(isMain), ...all.filter((option) => !isMain(option))];
  command.addHelpOption(inOrder.pop()!);
  for (const option of inOrder) command.addOption(option);
  command.addHelpText(
    'after',
    ['', 'Examples:', ...examples.map((example) => `  relflow ${visibleText(example)}`)].join('\n'),
  );
  return command;
}

/** Returns the options without which a recipe cannot run. */
export function requiredOptions({ required, properties }: OptionsSchema): string[] {
  const names: readonly string[] = (required as readonly string[] | undefined) ?? [];
  return names.filter((property) => !('default' in properties[property]!));
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
  const formats = exports.map(exportFormat);
  for (const format of formats) exportAs(format);
  const built = await buildRecipe(recipe, given);
  const { images } = built.options;
  // A page shows the images of the run.
  const options = typeof images === 'string' ? { images } : {};
  for (const format of formats) built.graph.finish(exportAs(format, format === 'page' ? options : {}));
  return built;
}

interface DescribedSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly group?: string;
  readonly argument?: string;
}

function flag(property: string, schema: TSchema, required: boolean): Option {
  const { group = MAIN, ...described } = schema as DescribedSchema;
  return optionOf(property, described, required).helpGroup(`${visibleText(group)}:`);
}

function optionOf(property: string, described: DescribedSchema, required: boolean): Option {
  const { type, enum: choices, description: given = '', default: preset, argument = 'value' } = described;
  const name = recipeFlagName(property);
  const description = visibleText(given);
  const about =
    preset === undefined || preset === false || preset === true ? description : `${description} (default: ${preset})`;
  // The schema fills in defaults, so that omitted options stay undefined here.
  if (type === 'boolean') return new Option(preset === true ? `--no-${name}` : `--${name}`, about).default(undefined);
  const value = type === 'string' ? (choices ? 'name' : argument) : 'number';
  const option = new Option(`--${name} <${value}>`, required ? `${about} (required)` : about);
  if (choices) return option.choices(choices);
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
