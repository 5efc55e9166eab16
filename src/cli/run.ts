import { type Command, Option } from 'commander';
import { buildRecipe, type OptionsSchema, type Recipe } from '../graph/recipe.js';
import {
  exportAs,
  exportFormat,
  type Graph,
  OptionError,
  OutputError,
  RunFolder,
  type RunResult,
  run,
} from '../index.js';
import { stopOnInterrupt } from './interrupt.js';
import { print, printNote, table } from './output.js';
import { progressDisplay } from './progress.js';
import { findRecipe, number, recipeCommand, recipeOptions } from './recipes.js';

/** Options of a run that are no pipeline's own. */
interface RunFlags {
  readonly out: string;
  readonly export?: readonly string[];
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly gzip?: boolean;
  readonly shardRecords?: number;
  readonly shardBytes?: number;
  readonly concurrency?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What `run.json` keeps for a resume, beside what the graph says of itself. */
interface Saved {
  readonly recipe: string;
  readonly options: Record<string, unknown>;
  readonly exports: readonly string[];
}

/** `relflow run PIPELINE`, one subcommand a pipeline. */
export function runCommand(program: Command, recipes: readonly { name: string; recipe: Recipe }[]): void {
  const command = program
    .command('run')
    .summary('run a pipeline into an output folder')
    .description(
      'Run a pipeline into an output folder. PIPELINE is one of the below, or a path to a module of your own.',
    );
  for (const { name, recipe } of recipes) {
    const sub = recipeCommand(name, recipe)
      .requiredOption('-o, --out <folder>', 'output folder')
      .addOption(
        new Option('--export <formats>', 'also write these at the end, by commas (see relflow export)').argParser(
          split,
        ),
      )
      .option('--overwrite', 'remove an earlier run from the folder first')
      .option('-n, --dry-run', 'check inputs and show the plan, without work')
      .option('--gzip', 'compress shards')
      .addOption(
        new Option('--shard-records <number>', 'records of the input a shard (default: 1000)').argParser(number),
      )
      .addOption(new Option('--shard-bytes <number>', 'size at which a shard ends (default: 64 MiB)').argParser(number))
      .addOption(new Option('--concurrency <number>', 'records at once in each stage').argParser(number))
      .option('--json', 'print the result as JSON')
      .option('-q, --quiet', 'no progress')
      .action(async (flags: RunFlags) => {
        const saved: Saved = {
          recipe: name,
          options: recipeOptions(recipe.options as OptionsSchema, flags as unknown as Record<string, unknown>),
          exports: flags.export ?? [],
        };
        const { graph, options } = await build(saved, recipe);
        if (flags.dryRun) {
          const { showPlan } = await import('./plan.js');
          await showPlan(graph, flags.json ? 'json' : 'text');
          return;
        }
        const { out, overwrite, gzip, shardRecords, shardBytes, concurrency } = flags;
        await execute(graph, { ...saved, options }, flags, {
          out,
          ...(overwrite && { overwrite }),
          ...(gzip && { gzip }),
          ...(shardRecords !== undefined && { shardRecords }),
          ...(shardBytes !== undefined && { shardBytes }),
          ...(concurrency !== undefined && { concurrency }),
        });
      });
    command.addCommand(sub);
  }
}

/** `relflow resume OUT`. */
export function resumeCommand(program: Command): void {
  program
    .command('resume <folder>')
    .summary('go on with an interrupted run')
    .description(
      'Go on with an interrupted run. Shards that are whole are not done again; the result is what an uninterrupted run gives, byte by byte.',
    )
    .addOption(new Option('--concurrency <number>', 'records at once in each stage').argParser(number))
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'no progress')
    .addHelpText('after', '\nExample:\n  relflow resume coco-graphs')
    .action(async (out: string, flags: Pick<RunFlags, 'concurrency' | 'json' | 'quiet'>) => {
      const state = await new RunFolder(out).state();
      if (!state) throw new OutputError(out, 'holds no run to resume');
      if (!isSaved(state.options)) {
        throw new OptionError(
          'resume',
          `the run '${state.pipeline}' was composed in code; resume it there, with run(graph, { resume: true })`,
        );
      }
      const { graph } = await build(state.options, await findRecipe(state.options.recipe));
      const { records, bytes, gzip } = state.sharding;
      await execute(graph, state.options, flags, {
        out,
        resume: true,
        shardRecords: records,
        shardBytes: bytes,
        gzip,
        ...(flags.concurrency !== undefined && { concurrency: flags.concurrency }),
      });
    });
}

/** The graph of a run as it was saved. */
export async function graphOfRun(folder: RunFolder): Promise<Graph> {
  const state = await folder.state();
  if (!state) throw new OutputError(folder.path, 'not the output folder of a run');
  if (!isSaved(state.options)) {
    throw new OptionError(
      'inspect',
      `the run '${state.pipeline}' was composed in code; call inspect(graph, image) there`,
    );
  }
  return (await build(state.options, await findRecipe(state.options.recipe))).graph;
}

function isSaved(options: unknown): options is Saved {
  const saved = options as Partial<Saved> | null;
  return typeof saved?.recipe === 'string' && typeof saved.options === 'object' && Array.isArray(saved.exports);
}

async function build(saved: Saved, recipe: Recipe): Promise<{ graph: Graph; options: Record<string, unknown> }> {
  const formats = saved.exports.map(exportFormat);
  const built = await buildRecipe(recipe, saved.options);
  for (const format of formats) built.graph.finish(exportAs(format));
  return built;
}

async function execute(
  graph: Graph,
  saved: Saved,
  { json = false, quiet = false }: Pick<RunFlags, 'json' | 'quiet'>,
  options: Parameters<typeof run>[1],
): Promise<void> {
  const display = progressDisplay(quiet);
  const interrupt = stopOnInterrupt(() => {
    display.end();
    printNote('stopping: finishing what is in flight; press Ctrl-C again to stop at once');
  });
  try {
    const result = await run(graph, {
      ...options,
      pipelineOptions: { ...saved },
      stop: interrupt.stop,
      signal: interrupt.kill,
      onProgress: (progress) => display.update(progress),
    });
    display.end();
    if (json) print(JSON.stringify(summary(result)));
    else showResult(result);
    if (!result.manifest) process.exitCode = 130;
  } finally {
    display.end();
    interrupt.dispose();
  }
}

function summary({ folder, manifest, records, stages, seconds }: RunResult): Record<string, unknown> {
  return {
    out: folder.path,
    finished: manifest !== null,
    records,
    seconds,
    load: stages,
    counts: manifest?.stages ?? null,
  };
}

function showResult({ folder, manifest, records, stages, seconds }: RunResult): void {
  const rows = Object.entries(stages).map(([id, load]) => [
    id,
    load.in,
    load.out,
    load.filtered,
    load.rejected,
    `${(load.milliseconds / 1000).toFixed(2)} s`,
    load.milliseconds > 0 ? Math.round((load.in / load.milliseconds) * 1000) : 0,
  ]);
  if (rows.length > 0) print(table(['stage', 'in', 'out', 'filtered', 'rejected', 'time', 'records/s'], rows));
  for (const [id, { rejected }] of Object.entries(manifest?.stages ?? {})) {
    for (const [reason, count] of Object.entries(rejected)) print(`rejected by ${id}: ${count} × ${reason}`);
  }
  if (manifest) print(`${records} records in ${seconds.toFixed(1)} s → ${folder.path}`);
  else print(`stopped after ${records} records, all kept; go on with: relflow resume ${folder.path}`);
}

function split(text: string): string[] {
  return [...new Set(text.split(',').map((part) => part.trim()))];
}
