import { type Command, InvalidArgumentError, Option } from 'commander';
import type { OptionsSchema, Recipe } from '../graph/recipe.js';
import type { CommandContext } from './command-context.js';
import { executePart, executeRun } from './execute-run.js';
import { progressOption, quietOption } from './progress.js';
import { chosenQueue, queueChoice } from './queue-option.js';
import { executeQueued, type QueueFlags } from './queue-run.js';
import { buildGraph, exportOption, number, recipeCommand, recipeOptions } from './recipes.js';
import { ALLOW_EMPTY } from './run-result.js';
import type { Saved } from './saved-run.js';

/** Options of every run, besides those of its pipeline. */
interface RunFlags extends Omit<QueueFlags, 'queue'> {
  readonly queue?: string | true;
  readonly out: string;
  readonly export: readonly string[];
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly allowEmpty?: boolean;
  readonly gzip?: boolean;
  readonly shardRecords?: number;
  readonly shardBytes?: number;
  readonly concurrency?: number;
  readonly shard?: { readonly part: number; readonly parts: number };
}

/** Adds `relflow run`, with one subcommand per pipeline. */
export function runCommand(
  program: Command,
  context: CommandContext,
  recipes: readonly { name: string; recipe: Recipe }[],
): void {
  const command = program
    .command('run')
    .summary('run a pipeline into an output folder')
    .description(
      'Run a pipeline into an output folder. PIPELINE is one of the commands below or the path of your own module.',
    );
  for (const { name, recipe } of recipes) {
    const sub = recipeCommand(name, recipe, [
      new Option('-o, --out <folder>', 'output folder').makeOptionMandatory(),
      exportOption('formats to export at the end, separated by commas (see relflow export)'),
      new Option('--overwrite', 'delete an earlier run in the folder first'),
      new Option('-n, --dry-run', 'check inputs and show the plan without running it'),
      new Option('--allow-empty', ALLOW_EMPTY),
      new Option('--gzip', 'compress shards'),
      new Option('--shard-records <number>', 'input records per shard (default: 1000)').argParser(number),
      new Option('--shard-bytes <number>', 'also end a shard at this size (default: no limit)').argParser(number),
      new Option('--concurrency <number>', 'records in flight per stage').argParser(number),
      new Option('--shard <i/n>', 'run only part i of n while other processes run the other parts; then relflow finish')
        .argParser(partOf)
        .conflicts(['overwrite', 'shardBytes', 'queue']),
      queueChoice().conflicts(['overwrite', 'shardBytes', 'concurrency']),
      new Option('--detach', 'with --queue: return without waiting for the workers'),
      listOption('--lane-limit <lane=number>', 'with --queue: most shards at once in a lane, e.g. captions=4'),
      listOption('--lane-rate <lane=number>', 'with --queue: most images per minute in a lane, e.g. captions=600'),
      new Option('--shard-attempts <number>', 'with --queue: attempts per shard (default: 5)').argParser(number),
      new Option('--json', 'print the result as JSON'),
      progressOption(),
      quietOption(),
    ]);
    sub.action(async (flags: RunFlags) => {
      const given = recipeOptions(recipe.options as OptionsSchema, { ...flags });
      const { graph, options } = await buildGraph(recipe, given, flags.export);
      if (flags.dryRun) {
        const { showPlan } = await import('./plan-command.js');
        await showPlan(context, graph, flags.json ? 'json' : 'text', flags.allowEmpty);
        return;
      }
      const { out, overwrite, allowEmpty, gzip, shardRecords, shardBytes, concurrency, shard } = flags;
      const saved: Saved = { recipe: name, options, exports: flags.export };
      const common = {
        out,
        ...(gzip && { gzip }),
        ...(shardRecords !== undefined && { shardRecords }),
        ...(concurrency !== undefined && { concurrency }),
      };
      const { queue } = flags;
      if (queue !== undefined)
        await executeQueued(context, graph, saved, { ...flags, queue: chosenQueue(queue) }, common);
      else if (shard) await executePart(context, graph, saved, flags, { ...common, ...shard });
      else {
        await executeRun(context, graph, saved, flags, {
          ...common,
          ...(overwrite && { overwrite }),
          allowEmpty: allowEmpty ?? false,
          ...(shardBytes !== undefined && { shardBytes }),
        });
      }
    });
    command.addCommand(sub);
  }
}

function partOf(text: string): { part: number; parts: number } {
  const [, part, parts] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (part === undefined || parts === undefined) {
    throw new InvalidArgumentError('Expected a part and the number of parts, such as 2/8.');
  }
  return { part: Number(part), parts: Number(parts) };
}

/** Makes an option that may be given several times. */
function listOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text, before: readonly string[] = []) => [...before, text]);
}
