import { type Graph, OptionError, type RunProgress } from '../index.js';
import type { Lane } from '../operators/operator.js';
import type { LaneStatus, RunStatus, SubmitOptions, Submitted } from '../queue/index.js';
import { countOf, summarizeRun } from '../runs/run-summary.js';
import type { CommandContext } from './command-context.js';
import type { ShowFlags } from './execute-run.js';
import { type ProgressDisplay, progressDisplay, progressIn } from './progress.js';
import { failIfEmpty, printSummary } from './run-result.js';
import type { Saved } from './saved.js';
import { stopOnInterrupt } from './stop-on-interrupt.js';

export interface QueueFlags extends ShowFlags {
  readonly queue: string;
  readonly detach?: boolean;
  readonly laneLimit?: readonly string[];
  readonly laneRate?: readonly string[];
  readonly shardAttempts?: number;
  readonly allowEmpty?: boolean;
}

/** How long a lane may have no worker before a note is printed. */
const IDLE_MILLISECONDS = 5000;

/** Puts a run into the queues and, unless detached, waits until it ends. */
export async function executeQueued(
  context: CommandContext,
  graph: Graph,
  saved: Saved,
  flags: QueueFlags,
  options: SubmitOptions,
): Promise<void> {
  const { json = false, detach = false, shardAttempts } = flags;
  const { queueServer, RunWatch, submit, waitForRun } = await import('../queue/index.js');
  const server = queueServer(flags.queue);
  const display = progressDisplay(context, flags);
  const interrupt = stopOnInterrupt(context, () => display.end());
  const started = performance.now();
  try {
    const submitted = await submit(graph, server, {
      ...options,
      pipelineOptions: { ...saved },
      limits: byLane('lane-limit', flags.laneLimit),
      rates: byLane('lane-rate', flags.laneRate),
      ...(shardAttempts !== undefined && { attempts: shardAttempts }),
      signal: interrupt.stop,
      onProgress: (done, total) => display.update(progressIn('checking', done, total)),
    });
    const { folder, lanes, joined } = submitted;
    if (detach) {
      display.end();
      if (json) context.print(JSON.stringify({ out: folder.path, finished: false, run: submitted.run, lanes, joined }));
      else
        context.print(
          `the run ${joined ? 'is already in' : 'was added to'} the queues; see relflow status ${folder.path}`,
        );
      return;
    }
    const watch = await RunWatch.open(server, folder);
    try {
      const idleLanes = new IdleLanes(context, submitted, display);
      const { records } = await waitForRun(watch, {
        signal: interrupt.stop,
        onStatus: (status) => {
          idleLanes.check(status.lanes);
          display.update(progressOf(status));
        },
      });
      display.end();
      const seconds = (performance.now() - started) / 1000;
      const manifest = await folder.manifest();
      const summary = manifest && summarizeRun(manifest.graph, manifest.stages);
      if (json)
        context.print(JSON.stringify({ out: folder.path, finished: true, records: records.done, seconds, summary }));
      else if (summary) printSummary(context, summary);
      if (!json) context.print(`${countOf(records.done, 'records')} in ${seconds.toFixed(1)} s → ${folder.path}`);
      if (summary) failIfEmpty(context, folder.path, summary, flags.allowEmpty);
    } catch (error) {
      if (!interrupt.stop.aborted) throw error;
      context.printNote(
        `the run continues without this process; see relflow status ${folder.path}, or repeat the command to wait for it`,
      );
      context.exitCode = 130;
    } finally {
      await watch.close();
    }
  } finally {
    display.end();
    interrupt.dispose();
  }
}

/** Prints a note when a lane of the run has no worker. */
class IdleLanes {
  readonly #context: CommandContext;
  readonly #lanes: ReadonlySet<Lane>;
  readonly #display: ProgressDisplay;
  readonly #since = new Map<Lane, number>();

  constructor(context: CommandContext, { lanes }: Submitted, display: ProgressDisplay) {
    this.#context = context;
    this.#lanes = new Set(lanes);
    this.#display = display;
  }

  check(lanes: readonly LaneStatus[]): void {
    for (const { lane, workers } of lanes) {
      if (!this.#lanes.has(lane) || workers > 0) this.#since.delete(lane);
      else {
        const since = this.#since.get(lane) ?? performance.now();
        this.#since.set(lane, since);
        if (performance.now() - since < IDLE_MILLISECONDS) continue;
        this.#since.set(lane, Number.POSITIVE_INFINITY);
        this.#display.end();
        this.#context.printNote(`no worker serves the lane '${lane}'; start one with relflow worker`);
      }
    }
  }
}

function progressOf({ reading, records, shards }: RunStatus): RunProgress {
  if (reading && shards.complete === 0) {
    const phase = reading.phase === 'reading' ? 'reading' : 'records';
    return { ...progressIn(phase, reading.done, reading.total), records: 0, shards: 0 };
  }
  return { ...progressIn('records', records.done, records.total), records: records.done, shards: shards.complete };
}

/** Parses options such as `captions=4` into numbers by lane. */
function byLane(flag: string, given: readonly string[] = []): Partial<Record<Lane, number>> {
  return Object.fromEntries(
    given.map((text) => {
      const [, lane, amount] = /^(source|captions|cpu|tagging)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
      if (lane === undefined || !(Number(amount) > 0)) {
        throw new OptionError(
          'run',
          `--${flag} ${text}, expected a lane and a number above 0 such as captions=4; the lanes are source, captions, cpu and tagging`,
        );
      }
      return [lane, Number(amount)];
    }),
  );
}
