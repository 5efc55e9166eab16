import { type Command, Option } from 'commander';
import { MAIN } from '../../pipelines/option-groups.js';
import type { OptionsSchema, Recipe } from '../graph/recipe.js';
import { readConfig } from './config-file.js';
import { requiredOptions } from './recipes.js';

/** Makes the option `--config`. */
export const configOption = () =>
  new Option(
    '--config <file>',
    'options from a JSON file, or from a module (.ts, .mjs), whose code is run; options on the command line win',
  ).helpGroup(`${MAIN}:`);

/** Options of one execution of a recipe's command. */
export interface RecipeFlags<Flags> {
  /** Options of the command itself. */
  readonly flags: Flags;
  /** Options of the recipe that were given. */
  readonly options: Record<string, unknown>;
}

/**
 * Combines the command line's options with those of the file of `--config`.
 *
 * @param required options of the command that it cannot do without
 * @throws CommanderError when a required option is missing, OptionError when the file cannot be used
 */
export async function recipeFlags<Flags>(
  command: Command,
  recipe: Recipe,
  required: readonly string[] = [],
): Promise<RecipeFlags<Flags>> {
  const given = command.opts();
  const { config } = given;
  if (typeof config === 'string') {
    for (const [name, value] of Object.entries(await readConfig(config, recipe)))
      if (command.getOptionValueSource(name) !== 'cli') command.setOptionValueWithSource(name, value, 'config');
  }
  const all = command.opts();
  const schema = recipe.options as OptionsSchema;
  const missing = [...requiredOptions(schema), ...required].filter((name) => all[name] === undefined);
  if (missing.length > 0) {
    const names = command.options
      .filter((option) => missing.includes(option.attributeName()))
      .map(({ flags }) => flags);
    command.error(`error: missing ${names.join(' and ')}${config === undefined ? '' : `, also in ${config}`}`);
  }
  const options = Object.keys(schema.properties).flatMap((name) =>
    all[name] === undefined ? [] : [[name, all[name]]],
  );
  return { flags: all as Flags, options: Object.fromEntries(options) };
}
