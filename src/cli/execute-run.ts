import { EndpointError, type Graph, type ModelUsage, type RunPartOptions, run, runPart } from '../index.js';
import { countOf } from '../runs/run-summary.js';
import type { CommandContext } from './command-context.js';
import { type ProgressFlags, progressDisplay } from './progress.js';
import { failIfEmpty, showResult, showUsage, summary } from './run-result.js';
import type { Saved } from './saved.js';
import { stopOnInterrupt } from './stop-on-interrupt.js';

/** Options of a command's output. */
export interface ShowFlags extends ProgressFlags {
  readonly json?: boolean;
}

/** Runs a graph and shows its progress and result. Ctrl-C stops the run so that it can be resumed. */
export async function executeRun(
  context: CommandContext,
  graph: Graph,
  saved: Saved,
  flags: ShowFlags,
  options: Parameters<typeof run>[1],
): Promise<void> {
  const display = progressDisplay(context, flags);
  const interrupt = stopOnInterrupt(context, () => {
    display.end();
    context.printNote('stopping: finishing the records in flight; press Ctrl-C again to stop at once');
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
    if (flags.json) context.print(JSON.stringify(summary(result)));
    else showResult(context, result);
    if (!result.manifest) context.exitCode = 130;
    else if (result.summary) {
      const what = result.summary.empty === 'no-images' ? await inputNames(graph) : options.out;
      failIfEmpty(context, what, result.summary, options.allowEmpty);
    }
  } catch (error) {
    if (error instanceof EndpointError) {
      display.end();
      showUsage(usage, (line) => context.printNote(line));
      context.printNote(`written records and cached answers are kept; to continue: relflow resume ${options.out}`);
    }
    throw error;
  } finally {
    display.end();
    interrupt.dispose();
  }
}

/** Runs one part of a run, like `executeRun`. */
export async function executePart(
  context: CommandContext,
  graph: Graph,
  saved: Saved,
  flags: ShowFlags,
  options: RunPartOptions,
): Promise<void> {
  const display = progressDisplay(context, flags);
  const interrupt = stopOnInterrupt(context, () => {
    display.end();
    context.printNote('stopping: the current shard will be processed again; press Ctrl-C again to stop at once');
  });
  try {
    const { folder, ...result } = await runPart(graph, {
      ...options,
      pipelineOptions: { ...saved },
      stop: interrupt.stop,
      signal: interrupt.kill,
      onProgress: (progress) => display.update(progress),
    });
    display.end();
    const { finished, records, shards, skipped, seconds } = result;
    if (flags.json)
      context.print(JSON.stringify({ out: folder.path, part: options.part, parts: options.parts, ...result }));
    else {
      const complete = skipped > 0 ? `, ${skipped} already complete` : '';
      context.print(
        `part ${options.part}/${options.parts}: ${countOf(shards, 'shards')}, ${countOf(records, 'records')} in ${seconds.toFixed(1)} s${complete}`,
      );
      context.print(
        finished ? `when all parts are done: relflow finish ${folder.path}` : 'stopped; repeat the command to continue',
      );
    }
    if (!finished) context.exitCode = 130;
  } finally {
    display.end();
    interrupt.dispose();
  }
}

/** Names the input files of a graph. */
async function inputNames(graph: Graph): Promise<string> {
  const files = await Promise.all(graph.nodes.flatMap((node) => (node.kind === 'source' ? [node.source.files()] : [])));
  return files.flat().join(', ') || graph.name;
}
