import { EndpointError, type Graph, type ModelUsage, type RunPartOptions, run, runPart } from '../index.js';
import type { CommandContext } from './command-context.js';
import { progressDisplay } from './progress.js';
import { showResult, showUsage, summary } from './run-result.js';
import type { Saved } from './saved-run.js';
import { stopOnInterrupt } from './stop-on-interrupt.js';

/** How a command shows what it does. */
export interface ShowFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Runs a graph, shows how far it is and how it ended. Ctrl-C stops it so that it can be resumed. */
export async function executeRun(
  context: CommandContext,
  graph: Graph,
  saved: Saved,
  { json = false, quiet = false }: ShowFlags,
  options: Parameters<typeof run>[1],
): Promise<void> {
  const display = progressDisplay(context.stderr, quiet);
  const interrupt = stopOnInterrupt(context, () => {
    display.end();
    context.printNote('stopping: finishing what is in flight; press Ctrl-C again to stop at once');
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
    if (json) context.print(JSON.stringify(summary(result)));
    else showResult(context, result);
    if (!result.manifest) context.exitCode = 130;
  } catch (error) {
    if (error instanceof EndpointError) {
      display.end();
      showUsage(usage, (line) => context.printNote(line));
      context.printNote(`what was written and answered is kept; go on with: relflow resume ${options.out}`);
    }
    throw error;
  } finally {
    display.end();
    interrupt.dispose();
  }
}

/** Does a part of a run, as `executeRun` does the whole. */
export async function executePart(
  context: CommandContext,
  graph: Graph,
  saved: Saved,
  { json = false, quiet = false }: ShowFlags,
  options: RunPartOptions,
): Promise<void> {
  const display = progressDisplay(context.stderr, quiet);
  const interrupt = stopOnInterrupt(context, () => {
    display.end();
    context.printNote('stopping: the shard in work will be done again; press Ctrl-C again to stop at once');
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
    if (json) context.print(JSON.stringify({ out: folder.path, part: options.part, parts: options.parts, ...result }));
    else {
      const whole = skipped > 0 ? `, ${skipped} were whole already` : '';
      context.print(
        `part ${options.part}/${options.parts}: ${shards} shards, ${records} records in ${seconds.toFixed(1)} s${whole}`,
      );
      context.print(
        finished ? `when all parts are done: relflow finish ${folder.path}` : 'stopped; go on with the same command',
      );
    }
    if (!finished) context.exitCode = 130;
  } finally {
    display.end();
    interrupt.dispose();
  }
}
