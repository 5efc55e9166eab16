import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Recipe } from '../graph/recipe.js';
import type { CommandContext } from './command-context.js';
import { executePart, executeRun } from './execute-run.js';
import { type OutputFlags, outputOptions } from './output-options.js';
import { progressOption, quietOption } from './progress.js';
import { chosenQueue, queueChoice } from './queue-option.js';
import { executeQueued, type QueueFlags } from './queue-run.js';
import { configOption, recipeFlags } from './recipe-flags.js';
import { buildGraph, number, OTHER, recipeCommand } from './recipes.js';
import type { Saved } from './saved.js';

/** Options of every run, besides those of its pipeline. */
interface RunFlags extends OutputFlags, Omit<QueueFlags, 'queue' | 'allowEmpty'> {
  readonly queue?: string | true;
  readonly out: string;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly shard?: { readonly part: number; readonly parts: number };
}

const EXECUTION = 'Execution:';
const PROCESSES = 'Several processes and machines:';

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
    )
    .addHelpText(
      'after',
      '\nExamples:\n  relflow run coco --annotations instances.json --captions captions.json --out graphs\n  relflow run ./my-pipeline.js --out graphs',
    );
  for (const { name, recipe } of recipes) {
    const sub = recipeCommand(name, recipe, [
      ...outputOptions('output folder (required)'),
      configOption(),
      new Option('--overwrite', 'delete an earlier run in the folder first').helpGroup('Output:'),
      new Option('-n, --dry-run', 'check inputs and show the plan without running it').helpGroup(EXECUTION),
      new Option('--shard <i/n>', 'run only part i of n while other processes run the other parts; then relflow finish')
        .argParser(partOf)
        .conflicts(['overwrite', 'shardBytes', 'queue'])
        .helpGroup(PROCESSES),
      queueChoice().conflicts(['overwrite', 'shardBytes', 'concurrency']).helpGroup(PROCESSES),
      new Option('--detach', 'with --queue: return without waiting for the workers').helpGroup(PROCESSES),
      listOption('--lane-limit <lane=number>', 'with --queue: most shards at once in a lane, e.g. captions=4'),
      listOption('--lane-rate <lane=number>', 'with --queue: most images per minute in a lane, e.g. captions=600'),
      new Option('--shard-attempts <number>', 'with --queue: attempts per shard (default: 5)')
        .argParser(number)
        .helpGroup(PROCESSES),
      new Option('--json', 'print the result as JSON').helpGroup(OTHER),
      progressOption().helpGroup(OTHER),
      quietOption().helpGroup(OTHER),
    ]);
    sub.action(async () => {
      const { flags, options: given } = await recipeFlags<RunFlags>(sub, recipe, ['out']);
      checkConfigured(sub, flags);
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

/** Refuses options of a configuration that the command line's way of running cannot have. */
function checkConfigured(command: Command, { shard, queue, shardBytes, concurrency }: RunFlags): void {
  const by = shard ? '--shard' : queue === undefined ? undefined : '--queue';
  if (by === undefined) return;
  if (shardBytes !== undefined) command.error(`error: shardBytes in the configuration cannot be used with ${by}`);
  if (by === '--queue' && concurrency !== undefined)
    command.error('error: concurrency in the configuration cannot be used with --queue');
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
  return new Option(flags, description)
    .argParser((text, before: readonly string[] = []) => [...before, text])
    .helpGroup(PROCESSES);
}
