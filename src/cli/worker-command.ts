import { type Command, InvalidArgumentError, Option } from 'commander';
import { recipeFlagName } from '../graph/recipe.js';
import { OptionError, RunFolder } from '../index.js';
import type { Lane } from '../operators/operator.js';
import type { IsolatedShard, QueueServer, RunningWorker, WorkerEvent } from '../queue/index.js';
import { countOf } from '../runs/run-summary.js';
import type { CommandContext } from './command-context.js';
import { queueOption } from './queue-option.js';
import { number } from './recipes.js';
import { graphOfRun } from './saved-run.js';
import { stopOnInterrupt } from './stop-on-interrupt.js';
import { CONFIRMABLE, type TrustFlags, trustOptions } from './trusted-run.js';

interface WorkerFlags extends TrustFlags {
  readonly root?: string;
  readonly queue: string;
  readonly only?: readonly Lane[];
  readonly jobs: number;
  readonly concurrency?: number;
  readonly heartbeat: number;
  readonly recordTimeout: number;
  readonly json?: boolean;
}

const ISOLATED = 'isolated-shard';

/** Adds `relflow worker` and the hidden command of the process that it starts for a shard that crashes. */
export function workerCommand(program: Command, context: CommandContext): void {
  const worker = program
    .command('worker')
    .summary('process shards of queued runs')
    .description(
      'Process shards of the runs that `relflow run --queue` put into the queues of a Redis or Valkey server, until Ctrl-C. The first Ctrl-C finishes the current shards; the second leaves them to other workers. All workers need the output folder under the same path; only those of the lane source need the input files, and only those of the lanes captions and tagging need the images.',
    )
    .addOption(queueOption())
    .addOption(
      new Option(
        '--only <lanes>',
        'serve only these lanes, separated by commas: source, captions, cpu, tagging, finish',
      ).argParser(lanesOf),
    )
    .addOption(new Option('--jobs <number>', 'shards at once per lane').argParser(number).default(1))
    .addOption(new Option('--concurrency <number>', 'records in flight per stage').argParser(number))
    .addOption(
      new Option('--heartbeat <seconds>', 'shards of a worker go to others after this time without a sign of life')
        .argParser(number)
        .default(30),
    )
    .addOption(
      new Option(
        '--record-timeout <seconds>',
        'a record that takes longer is tried again in its own process and then rejected',
      )
        .argParser(number)
        .default(900),
    )
    .option('--root <folder>', 'refuse runs whose folder is not in this one')
    .option('--json', 'print events as lines of JSON on standard error')
    .addHelpText(
      'after',
      '\nExamples:\n  relflow worker --queue redis://queue:6379\n  relflow worker --queue redis://queue:6379 --only tagging',
    )
    .action(async (flags: WorkerFlags) => {
      const { queueServer, startWatchdog, startWorker, isolateShard } = await import('../queue/index.js');
      const { only, jobs, concurrency, heartbeat, recordTimeout, json = false } = flags;
      if (flags.trust && flags.root === undefined)
        throw new OptionError('worker', '--trust needs --root, the folder in which the folders of runs are');
      const report = json ? reportJson : reportText;
      const server = queueServer(flags.queue);
      const worker = await startWorker(server, {
        graphOf: (folder, { isSigned }) => workerGraph(folder, flags, isSigned),
        ...(flags.root !== undefined && { root: flags.root }),
        ...(only && { lanes: only }),
        jobs,
        ...(concurrency !== undefined && { concurrency }),
        heartbeatSeconds: heartbeat,
        recordTimeoutSeconds: recordTimeout,
        isolate: (folder, job, signal) =>
          isolateShard([process.argv[1]!, ISOLATED, folder.path, ...trustArguments(flags, server)], folder, job, {
            signal,
            recordTimeoutSeconds: recordTimeout,
          }),
        onEvent: (event) => report(context, event),
      });
      startWatchdog(recordTimeout);
      if (!json) context.printNote(`ready for ${worker.lanes.join(', ')}; Ctrl-C to stop`);
      await untilInterrupted(context, worker);
    });
  for (const option of trustOptions()) worker.addOption(option);
  const isolated = program
    .command(`${ISOLATED} <folder>`, { hidden: true })
    .description('Process a shard in its own process; started by relflow worker.')
    .option('--signed', 'the job was signed')
    .action(async (path: string, { signed = false, ...flags }: TrustFlags & { signed?: boolean }) => {
      if (!process.send) throw new OptionError(ISOLATED, 'this command can only be started by relflow worker');
      const task = await new Promise<IsolatedShard>((resolve) =>
        process.once('message', resolve as (m: unknown) => void),
      );
      // Without the worker, nothing waits for the shard.
      process.once('disconnect', () => process.exit(1));
      const { serveIsolatedShard } = await import('../queue/isolate-shard.js');
      const folder = new RunFolder(path);
      process.send(await serveIsolatedShard(await workerGraph(folder, flags, signed), folder, task), () =>
        process.exit(0),
      );
    });
  for (const option of trustOptions()) isolated.addOption(option);
}

/** Returns the arguments by which the process of an isolated shard trusts the same runs as the worker. */
function trustArguments(flags: TrustFlags, { secret }: QueueServer): string[] {
  const named = (['recipe', ...CONFIRMABLE] as const).map((name) => [name, flags[name]] as const);
  return [
    ...(flags.trust ? ['--trust'] : []),
    ...(secret === undefined ? [] : ['--signed']),
    ...named.flatMap(([name, value]) => (value === undefined ? [] : [`--${recipeFlagName(name)}=${value}`])),
  ];
}

/**
 * Builds the graph of a run for a worker: only lanes that read sources need inputs, and more workers replace parser
 * threads.
 */
function workerGraph(folder: RunFolder, flags: TrustFlags, isConfirmed: boolean) {
  const rebuilding = { inputs: false, changed: { parserThreads: 0 }, flags, isConfirmed };
  return graphOfRun(folder, 'worker', 'startWorker(server, { graphOf })', rebuilding);
}

async function untilInterrupted(context: CommandContext, worker: RunningWorker): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const interrupt = stopOnInterrupt(context, () => {
      context.printNote('stopping: finishing the current shards; press Ctrl-C again to leave them to other workers');
      worker.stop().then(resolve, reject);
    });
    interrupt.kill.addEventListener('abort', () => {
      worker.kill().then(resolve, reject);
    });
  });
}

function reportJson(context: CommandContext, event: WorkerEvent): void {
  context.printEvent({ at: new Date().toISOString(), pid: process.pid, ...event });
}

function reportText(context: CommandContext, event: WorkerEvent): void {
  switch (event.event) {
    case 'shard':
      context.printNote(
        `shard ${event.shard}: ${event.result}, ${countOf(event.records, 'records')} in ${event.seconds} s`,
      );
      break;
    case 'isolated':
      context.printNote(`shard ${event.shard}: crashed workers; it is processed in its own process`);
      break;
    case 'read':
      context.printNote(`${event.out}: ${event.records} records read in ${event.seconds} s`);
      break;
    case 'finished':
      context.printNote(`${event.out}: finished, ${event.records} records`);
      break;
    case 'failed':
      context.printNote(`${event.job}: attempt ${event.attempt} failed: ${event.reason}`);
      break;
    case 'queue-error':
      context.printNote(`queue: ${event.reason}`);
  }
}

const KNOWN: readonly Lane[] = ['source', 'captions', 'cpu', 'tagging', 'finish'];

function lanesOf(text: string): readonly Lane[] {
  const lanes = text.split(',').map((lane) => lane.trim());
  const unknown = lanes.find((lane) => !(KNOWN as readonly string[]).includes(lane));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`Unknown lane '${unknown}', expected some of ${KNOWN.join(', ')}.`);
  return [...new Set(lanes)] as Lane[];
}
