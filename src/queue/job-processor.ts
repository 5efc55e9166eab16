import type { Job } from 'bullmq';
import { OutputError } from '../errors.js';
import { phasesOf } from '../graph/engine/phases.js';
import type { Graph } from '../graph/graph.js';
import type { Lane } from '../operators/operator.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import type { WorkItem } from '../run-folder/work-item.js';
import { finishRun } from '../runs/finish-run.js';
import { processShard, type ShardResult } from '../runs/process-shard.js';
import { type InlinePhase, processSource } from '../runs/process-source.js';
import { checkJob } from './check-job.js';
import type { RunJob, ShardJob } from './jobs.js';
import { type OpenRun, OpenRuns } from './open-runs.js';
import { UnrecoverableError, WaitingError } from './queue-packages.js';
import type { QueueServer } from './queue-server.js';
import { addShardJob, LANES, openQueue, type ShardQueue } from './queues.js';
import { RECORD_TIMEOUT_SECONDS, RecordTimeout, RecordTimer } from './record-timeout.js';
import type { WorkerEvent } from './worker-event.js';
import type { WorkerOptions } from './worker-options.js';

/** Shards that wait for each other worker of a lane before the worker that reads the sources processes some itself. */
const SHARDS_AHEAD = 2;
/** Workers that a shard may crash before it is processed in a separate process. */
const CRASHES_BEFORE_ISOLATION = 2;
const PROGRESS_MILLISECONDS = 1000;

/** Processes the jobs of a worker. */
export class JobProcessor {
  readonly #server: QueueServer;
  readonly #options: WorkerOptions;
  readonly #lanes: readonly Lane[];
  readonly #report: (event: WorkerEvent) => void;
  readonly #runs: OpenRuns;
  readonly #queues = new Map<Lane, ShardQueue>();
  readonly #stop = new AbortController();
  readonly #kill = new AbortController();

  constructor(server: QueueServer, options: WorkerOptions) {
    this.#server = server;
    this.#options = options;
    this.#lanes = options.lanes ?? LANES;
    this.#report = options.onEvent ?? (() => {});
    this.#runs = new OpenRuns((folder) => options.graphOf(folder, { isSigned: server.secret !== undefined }));
  }

  /** Stops reading sources; `force` also aborts the running jobs. */
  stop(force: boolean): void {
    this.#stop.abort();
    if (force) this.#kill.abort();
  }

  /** Closes graphs and queues; called when no job is running. */
  async close(): Promise<void> {
    await this.#runs.close();
    for (const queue of this.#queues.values()) await queue.close();
  }

  /** Processes one job of a lane; resolves to its return value. */
  async process(lane: Lane, job: Job<RunJob>, token: string | undefined): Promise<unknown> {
    await checkJob(lane, job, { root: this.#options.root, secret: this.#server.secret });
    return this.#runs.use(job.data, (run) => {
      if (lane === 'source') return this.#source(run, job, token);
      if (lane === 'finish') return this.#finish(run, job);
      return this.#shard(run, job as Job<ShardJob>);
    });
  }

  async #source(run: OpenRun, job: Job<RunJob>, token: string | undefined): Promise<unknown> {
    const started = performance.now();
    const { folder, graph, state } = run;
    const { lanes } = phasesOf(graph.nodes);
    let reported = 0;
    try {
      const records = await processSource(graph, folder, state, {
        signal: this.#stop.signal,
        onShard: (shard, phase) => addShardJob(this.#server, this.#queue(lanes[phase]!), job.data, shard, phase),
        // Not after a failure or a crash, nor when a job has only one attempt: a shard's own job can fail or be isolated.
        ...(job.attemptsStarted === 1 && (job.opts.attempts ?? 1) > 1 && { inline: this.#inline(run, job.data) }),
        onProgress: (progress) => {
          if (performance.now() - reported < PROGRESS_MILLISECONDS) return;
          reported = performance.now();
          job.updateProgress({ ...progress }).catch(() => {});
        },
      });
      this.#report({ event: 'read', out: folder.path, records, seconds: secondsSince(started) });
      return { records };
    } catch (error) {
      if (!this.#stop.signal.aborted || this.#kill.signal.aborted) throw error;
      // The shards read so far stay; another worker continues after them.
      await job.moveToWait(token);
      throw new WaitingError();
    }
  }

  /**
   * Lets the worker that reads a shard also process it, without the disk and the queue, when no other worker is waiting
   * and its lane has no limit over all workers.
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
    const { lanes } = phasesOf(run.graph.nodes);
    if (job.data.phase >= lanes.length)
      throw new UnrecoverableError(`the job was refused: phase ${job.data.phase}, but the run has ${lanes.length}`);
    if (crashesOf(job) >= CRASHES_BEFORE_ISOLATION && this.#options.isolate) return this.#isolated(run, job.data);
    try {
      return await this.#phase(run, job.data);
    } catch (error) {
      if (!(error instanceof RecordTimeout) || !this.#options.isolate) throw error;
      return await this.#isolated(run, job.data);
    }
  }

  /** Processes a shard in this process. */
  #phase({ folder, graph, state }: OpenRun, job: ShardJob, items?: AsyncIterable<WorkItem>): Promise<unknown> {
    const { concurrency, recordTimeoutSeconds = RECORD_TIMEOUT_SECONDS } = this.#options;
    return this.#reported('started', folder, graph, job, async () => {
      const timer = new RecordTimer(recordTimeoutSeconds);
      try {
        return await processShard(graph, folder, state, job, {
          signal: AbortSignal.any([this.#kill.signal, timer.signal]),
          onRecord: () => timer.renew(),
          ...(items && { items }),
          ...(concurrency !== undefined && { concurrency }),
        });
      } finally {
        timer.stop();
      }
    });
  }

  /** Processes a shard in a separate process. */
  #isolated({ folder, graph }: OpenRun, job: ShardJob): Promise<unknown> {
    return this.#reported('isolated', folder, graph, job, () => this.#options.isolate!(folder, job, this.#kill.signal));
  }

  /** Reports the start and the result of a shard, and adds a job for its next phase. */
  async #reported(
    event: 'started' | 'isolated',
    folder: RunFolder,
    graph: Graph,
    job: ShardJob,
    work: () => Promise<ShardResult>,
  ): Promise<unknown> {
    const started = performance.now();
    const { shard, phase } = job;
    this.#report({ event, out: folder.path, shard, phase });
    const result = await work();
    if (result.status === 'next-phase') {
      await addShardJob(
        this.#server,
        this.#queue(phasesOf(graph.nodes).lanes[result.phase]!),
        job,
        shard,
        result.phase,
      );
    }
    const records = 'records' in result ? result.records : 0;
    this.#report({
      event: 'shard',
      out: folder.path,
      shard,
      phase,
      result: result.status,
      records,
      seconds: secondsSince(started),
    });
    return { records };
  }

  async #finish({ folder, graph }: OpenRun, job: Job<RunJob>): Promise<unknown> {
    try {
      const { records } = await finishRun(graph, folder, { signal: this.#kill.signal });
      this.#report({ event: 'finished', out: folder.path, records });
      return { records };
    } catch (error) {
      const reasons = new Set(Object.values(await job.getIgnoredChildrenFailures()));
      if (!(error instanceof OutputError) || reasons.size === 0) throw error;
      // Shards that failed after all attempts will not appear later.
      throw new UnrecoverableError(`${error.message}; after all attempts: ${[...reasons].join('; ')}`);
    }
  }

  #queue(lane: Lane): ShardQueue {
    const queue = this.#queues.get(lane) ?? openQueue(this.#server, lane);
    this.#queues.set(lane, queue);
    return queue;
  }
}

/** Returns the number of workers that the job has crashed: attempts that neither succeeded nor failed. */
function crashesOf(job: Job): number {
  return job.attemptsStarted - 1 - job.attemptsMade;
}

function secondsSince(started: number): number {
  return Math.round(performance.now() - started) / 1000;
}
