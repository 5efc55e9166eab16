import type { Command } from 'commander';
import { type Recipe, recipeFlagName } from '../graph/recipe.js';
import { EXPORT_FORMATS } from '../index.js';
import type { CommandContext } from './command-context.js';

/** Adds `relflow list`. */
export function listCommand(
  program: Command,
  context: CommandContext,
  recipes: readonly { name: string; recipe: Recipe }[],
): void {
  program
    .command('list')
    .summary('list pipelines and export formats')
    .description('List the pipelines that come with relflow and the formats that a run can be exported to.')
    .option('--json', 'print as JSON, with the schemas of all options')
    .addHelpText('after', '\nExamples:\n  relflow list\n  relflow list --json')
    .action(({ json }: { json?: boolean }) => {
      if (json) {
        const pipelines = recipes.map(({ name, recipe: { summary, options, examples } }) => ({
          name,
          summary,
          options,
          examples,
        }));
        context.printText(JSON.stringify({ pipelines, exports: EXPORT_FORMATS }, null, 2));
        return;
      }
      const rows = recipes.map(({ name, recipe: { summary, options } }) => [name, summary, required(options)]);
      context.printTable(['pipeline', 'description', 'required options'], rows);
      context.print('');
      context.printTable(
        ['export', 'description'],
        Object.entries(EXPORT_FORMATS).map(([name, { summary }]) => [name, summary]),
      );
    });
}

function required(options: Recipe['options']): string {
  const { required: names = [], properties } = options as {
    required?: string[];
    properties: Record<string, { default?: unknown }>;
  };
  return names
    .filter((name) => properties[name]?.default === undefined)
    .map((name) => `--${recipeFlagName(name)}`)
    .join(' ');
}
