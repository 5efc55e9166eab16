import { type Command, Option } from 'commander';
import type { OptionsSchema, Recipe } from '../graph/recipe.js';
import {
  EndpointError,
  type Graph,
  inputFiles,
  type ModelUsage,
  OptionError,
  OutputError,
  RelflowError,
  RunFolder,
  type RunResult,
  run,
} from '../index.js';
import { stopOnInterrupt } from './interrupt.js';
import { print, printNote, table } from './output.js';
import { progressDisplay } from './progress.js';
import { buildGraph, exportOption, findRecipe, number, recipeCommand, recipeOptions } from './recipes.js';

/** Options of a run that are no pipeline's own. */
interface RunFlags {
  readonly out: string;
  readonly export: readonly string[];
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly gzip?: boolean;
  readonly shardRecords?: number;
  readonly shardBytes?: number;
  readonly concurrency?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

type ResumeFlags = Pick<RunFlags, 'concurrency' | 'json' | 'quiet'> & {
  readonly budget?: number;
  readonly endpointUrl?: string;
};

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
    const sub = recipeCommand(name, recipe, [
      new Option('-o, --out <folder>', 'output folder').makeOptionMandatory(),
      exportOption('also write these at the end, by commas (see relflow export)'),
      new Option('--overwrite', 'remove an earlier run from the folder first'),
      new Option('-n, --dry-run', 'check inputs and show the plan, without work'),
      new Option('--gzip', 'compress shards'),
      new Option('--shard-records <number>', 'records of the input a shard (default: 1000)').argParser(number),
      new Option('--shard-bytes <number>', 'size at which a shard ends, too (default: none)').argParser(number),
      new Option('--concurrency <number>', 'records at once in each stage').argParser(number),
      new Option('--json', 'print the result as JSON'),
      new Option('-q, --quiet', 'no progress'),
    ]);
    sub.action(async (flags: RunFlags) => {
      const given = recipeOptions(recipe.options as OptionsSchema, { ...flags });
      const { graph, options } = await buildGraph(recipe, given, flags.export);
      if (flags.dryRun) {
        const { showPlan } = await import('./plan.js');
        await showPlan(graph, flags.json ? 'json' : 'text');
        return;
      }
      const { out, overwrite, gzip, shardRecords, shardBytes, concurrency } = flags;
      const saved: Saved = { recipe: name, options, exports: flags.export };
      await execute(graph, saved, flags, {
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
      'Go on with an interrupted run. Shards that are whole are not done again; the result is what an uninterrupted run gives, byte by byte. Relative paths of the run count from the folder where it was begun.',
    )
    .addOption(new Option('--concurrency <number>', 'records at once in each stage').argParser(number))
    .addOption(new Option('--budget <number>', 'where models are asked: what this process may spend').argParser(number))
    .option('--endpoint-url <url>', 'where models are asked: a server of the same model at another address')
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'no progress')
    .addHelpText('after', '\nExample:\n  relflow resume coco-graphs')
    .action(async (out: string, flags: ResumeFlags) => {
      const state = await new RunFolder(out).state();
      if (!state) throw new OutputError(out, 'holds no run to resume');
      if (!isSaved(state.options)) {
        throw new OptionError(
          'resume',
          `the run '${state.pipeline}' was composed in code; resume it there, with run(graph, { resume: true })`,
        );
      }
      const { budget, endpointUrl } = flags;
      // How and where a model is asked is no part of what the run is.
      const changed = { ...(budget !== undefined && { budget }), ...(endpointUrl !== undefined && { endpointUrl }) };
      const saved = { ...state.options, options: { ...state.options.options, ...changed } };
      const graph = await rebuild(saved);
      const { records, bytes, gzip } = state.sharding;
      await execute(graph, saved, flags, {
        out,
        resume: true,
        shardRecords: records,
        ...(bytes !== null && { shardBytes: bytes }),
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
  return rebuild(state.options);
}

function isSaved(options: unknown): options is Saved {
  const saved = options as Partial<Saved> | null;
  return typeof saved?.recipe === 'string' && typeof saved.options === 'object' && Array.isArray(saved.exports);
}

/**
 * The graph of a run as it was saved, its inputs in place. Paths are saved as they were given, since an output folder
 * tells nothing of the machine that it was made on; so they may lead nowhere from another folder.
 */
async function rebuild({ recipe, options, exports }: Saved): Promise<Graph> {
  try {
    const { graph } = await buildGraph(await findRecipe(recipe), options, exports);
    await inputFiles(graph);
    return graph;
  } catch (error) {
    if (!(error instanceof RelflowError)) throw error;
    const message = `${error.message} (relative paths of a run count from the folder where it was begun)`;
    throw new RelflowError(error.code, message, error.fields, { cause: error });
  }
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
  let usage: ModelUsage = {};
  try {
    const result = await run(graph, {
      ...options,
      pipelineOptions: { ...saved },
      stop: interrupt.stop,
      signal: interrupt.kill,
      onProgress: (progress) => {
        usage = progress.usage;
        display.update(progress);
      },
    });
    display.end();
    if (json) print(JSON.stringify(summary(result)));
    else showResult(result);
    if (!result.manifest) process.exitCode = 130;
  } catch (error) {
    if (error instanceof EndpointError) {
      display.end();
      showUsage(usage, printNote);
      printNote(`what was written and answered is kept; go on with: relflow resume ${options.out}`);
    }
    throw error;
  } finally {
    display.end();
    interrupt.dispose();
  }
}

function summary({ folder, manifest, records, stages, usage, seconds }: RunResult): Record<string, unknown> {
  return {
    out: folder.path,
    finished: manifest !== null,
    records,
    seconds,
    load: stages,
    ...(Object.keys(usage).length > 0 && { usage }),
    counts: manifest?.stages ?? null,
  };
}

function showResult({ folder, manifest, records, stages, usage, seconds }: RunResult): void {
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
  showUsage(usage, print);
  for (const [id, { rejected }] of Object.entries(manifest?.stages ?? {})) {
    for (const [reason, count] of Object.entries(rejected)) print(`rejected by ${id}: ${count} × ${reason}`);
  }
  if (manifest) print(`${records} records in ${seconds.toFixed(1)} s → ${folder.path}`);
  else print(`stopped after ${records} records, all kept; go on with: relflow resume ${folder.path}`);
}

/** What was asked of models, a stage a line. */
function showUsage(usage: ModelUsage, write: (line: string) => void): void {
  for (const [stage, amounts] of Object.entries(usage)) {
    const said = Object.entries(amounts).filter(([, amount]) => amount > 0);
    const words = said.map(([name, amount]) => `${amountText(amount)} ${USAGE_WORDS[name] ?? name}`);
    write(`${stage}: ${words.join(', ') || 'nothing asked'}`);
  }
}

const USAGE_WORDS: Readonly<Record<string, string>> = {
  inputTokens: 'tokens in',
  outputTokens: 'tokens out',
  spend: 'spent',
};

const amountText = (amount: number) => amount.toLocaleString('en-US', { maximumFractionDigits: 4 });
