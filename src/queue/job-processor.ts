import { type Job, UnrecoverableError, WaitingError } from 'bullmq';
import { OutputError } from '../errors.js';
import { phasesOf } from '../graph/engine/phases.js';
import type { Graph } from '../graph/graph.js';
import type { Lane } from '../operators/operator.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import type { WorkItem } from '../run-folder/work-item.js';
import { finishRun } from '../runs/finish-run.js';
import { processShard, type ShardResult } from '../runs/process-shard.js';
import { type InlinePhase, processSource } from '../runs/process-source.js';
import { type OpenRun, OpenRuns } from './open-runs.js';
import type { QueueServer } from './queue-server.js';
import { addShardJob, LANES, queueOf, type RunJob, type ShardJob, type ShardQueue } from './queues.js';
import { RECORD_TIMEOUT_SECONDS, RecordTimeout, RecordTimer } from './record-timeout.js';
import type { WorkerEvent } from './worker-event.js';
import type { WorkerOptions } from './worker-options.js';

/** For each other worker of a lane so many shards are put aside, before the one that reads does some itself. */
const SHARDS_AHEAD = 2;
/** Workers that a shard may take with it before it is done in a process of its own. */
const CRASHES_BEFORE_ISOLATION = 2;
const PROGRESS_MILLISECONDS = 1000;

/** Does the jobs of a worker. */
export class JobProcessor {
  readonly #server: QueueServer;
  readonly #options: WorkerOptions;
  readonly #lanes: readonly Lane[];
  readonly #tell: (event: WorkerEvent) => void;
  readonly #runs: OpenRuns;
  readonly #queues = new Map<Lane, ShardQueue>();
  readonly #stop = new AbortController();
  readonly #kill = new AbortController();

  constructor(server: QueueServer, options: WorkerOptions) {
    this.#server = server;
    this.#options = options;
    this.#lanes = options.lanes ?? LANES;
    this.#tell = options.onEvent ?? (() => {});
    this.#runs = new OpenRuns(options.graphOf);
  }

  /** Begins to end; `force` ends what is in work, too. */
  stop(force: boolean): void {
    this.#stop.abort();
    if (force) this.#kill.abort();
  }

  /** To be called when nothing is in work any more. */
  async close(): Promise<void> {
    await this.#runs.close();
    for (const queue of this.#queues.values()) await queue.close();
  }

  process(lane: Lane, job: Job<RunJob>, token: string | undefined): Promise<unknown> {
    return this.#runs.use(job.data, (run) => {
      if (lane === 'source') return this.#source(run, job, token);
      if (lane === 'finish') return this.#finish(run, job);
      return this.#shard(run, job as Job<ShardJob>);
    });
  }

  async #source(run: OpenRun, job: Job<RunJob>, token: string | undefined): Promise<unknown> {
    const begun = performance.now();
    const { folder, graph, state } = run;
    const { lanes } = phasesOf(graph.nodes);
    let told = 0;
    try {
      const records = await processSource(graph, folder, state, {
        signal: this.#stop.signal,
        onShard: (shard, phase) => addShardJob(this.#queue(lanes[phase]!), job.data, shard, phase),
        // What failed, or took a worker with it, is left to a job of its own, which can be given up or isolated: where
        // nothing is tried twice, all of it.
        ...(job.attemptsStarted === 1 && (job.opts.attempts ?? 1) > 1 && { inline: this.#inline(run, job.data) }),
        onProgress: (progress) => {
          if (performance.now() - told < PROGRESS_MILLISECONDS) return;
          told = performance.now();
          job.updateProgress({ ...progress }).catch(() => {});
        },
      });
      this.#tell({ event: 'read', out: folder.path, records, seconds: secondsSince(begun) });
      return { records };
    } catch (error) {
      if (!this.#stop.signal.aborted || this.#kill.signal.aborted) throw error;
      // What was read stays; another worker goes on behind it.
      await job.moveToWait(token);
      throw new WaitingError();
    }
  }

  /**
   * A shard that nobody waits for need not go over the disk and the queue: whoever reads it does it. Not where its lane
   * has a limit that holds over all workers.
   */
  #inline(run: OpenRun, job: RunJob): InlinePhase {
    const lane = phasesOf(run.graph.nodes).lanes[1]!;
    return {
      isPreferred: async () => {
        if (lane !== 'cpu' || !this.#lanes.includes(lane)) return false;
        const queue = this.#queue(lane);
        const [workers, waiting, isPaused, limit, rate] = await Promise.all([
          queue.getWorkersCount(),
          queue.getWaitingCount(),
          queue.isPaused(),
          queue.getGlobalConcurrency(),
          queue.getGlobalRateLimit(),
        ]);
        return !isPaused && limit === null && rate === null && waiting >= SHARDS_AHEAD * (workers - 1);
      },
      process: async (shard, items) => {
        await this.#phase(run, { ...job, shard, phase: 1 }, items);
      },
    };
  }

  async #shard(run: OpenRun, job: Job<ShardJob>): Promise<unknown> {
    if (crashesOf(job) >= CRASHES_BEFORE_ISOLATION && this.#options.isolate) return this.#isolated(run, job.data);
    try {
      return await this.#phase(run, job.data);
    } catch (error) {
      if (!(error instanceof RecordTimeout) || !this.#options.isolate) throw error;
      return await this.#isolated(run, job.data);
    }
  }

  /** Does a shard in this process. */
  #phase({ folder, graph, state }: OpenRun, job: ShardJob, items?: AsyncIterable<WorkItem>): Promise<unknown> {
    const { concurrency, recordTimeoutSeconds = RECORD_TIMEOUT_SECONDS } = this.#options;
    return this.#told('started', folder, graph, job, async () => {
      const patience = new RecordTimer(recordTimeoutSeconds);
      try {
        return await processShard(graph, folder, state, job, {
          signal: AbortSignal.any([this.#kill.signal, patience.signal]),
          onRecord: () => patience.renew(),
          ...(items && { items }),
          ...(concurrency !== undefined && { concurrency }),
        });
      } finally {
        patience.stop();
      }
    });
  }

  /** Does a shard in a process of its own. */
  #isolated({ folder, graph }: OpenRun, job: ShardJob): Promise<unknown> {
    return this.#told('isolated', folder, graph, job, () => this.#options.isolate!(folder, job, this.#kill.signal));
  }

  /** Says that a shard is begun and what came of it, and hands it on. */
  async #told(
    event: 'started' | 'isolated',
    folder: RunFolder,
    graph: Graph,
    job: ShardJob,
    work: () => Promise<ShardResult>,
  ): Promise<unknown> {
    const begun = performance.now();
    const { shard, phase } = job;
    this.#tell({ event, out: folder.path, shard, phase });
    const result = await work();
    if (result.status === 'next-phase') {
      await addShardJob(this.#queue(phasesOf(graph.nodes).lanes[result.phase]!), job, shard, result.phase);
    }
    const records = 'records' in result ? result.records : 0;
    this.#tell({
      event: 'shard',
      out: folder.path,
      shard,
      phase,
      result: result.status,
      records,
      seconds: secondsSince(begun),
    });
    return { records };
  }

  async #finish({ folder, graph }: OpenRun, job: Job<RunJob>): Promise<unknown> {
    try {
      const { records } = await finishRun(graph, folder, { signal: this.#kill.signal });
      this.#tell({ event: 'finished', out: folder.path, records });
      return { records };
    } catch (error) {
      const reasons = new Set(Object.values(await job.getIgnoredChildrenFailures()));
      if (!(error instanceof OutputError) || reasons.size === 0) throw error;
      // What was given up does not come by waiting.
      throw new UnrecoverableError(`${error.message}; after all attempts: ${[...reasons].join('; ')}`);
    }
  }

  #queue(lane: Lane): ShardQueue {
    const queue = this.#queues.get(lane) ?? queueOf(this.#server, lane);
    this.#queues.set(lane, queue);
    return queue;
  }
}

/** How many workers were lost with the job: attempts that neither ended nor failed. */
function crashesOf(job: Job): number {
  return job.attemptsStarted - 1 - job.attemptsMade;
}

function secondsSince(begun: number): number {
  return Math.round(performance.now() - begun) / 1000;
}
