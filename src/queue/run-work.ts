import { type Job, UnrecoverableError, WaitingError } from 'bullmq';
import { OutputError } from '../errors.js';
import { finishShards } from '../graph/finish-shards.js';
import { phasesOf } from '../graph/phases.js';
import { type ShardFate, workShard } from '../graph/work-shard.js';
import { workSource } from '../graph/work-source.js';
import type { Lane } from '../operators/operator.js';
import type { QueueServer } from './connection.js';
import { type OpenRun, OpenRuns } from './open-runs.js';
import { addShard, queueOf, type RunJob, type ShardJob, type ShardQueue } from './queues.js';
import type { WorkerOptions } from './worker.js';
import type { WorkerEvent } from './worker-event.js';

/** Workers that a shard may take with it before it is done in a process of its own. */
const DEATHS = 2;
const PROGRESS_MILLISECONDS = 1000;

/** Does the jobs of a worker. */
export class RunWork {
  readonly #server: QueueServer;
  readonly #options: WorkerOptions;
  readonly #tell: (event: WorkerEvent) => void;
  readonly #runs: OpenRuns;
  readonly #queues = new Map<Lane, ShardQueue>();
  readonly #stop = new AbortController();
  readonly #kill = new AbortController();

  constructor(server: QueueServer, options: WorkerOptions) {
    this.#server = server;
    this.#options = options;
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

  work(lane: Lane, job: Job<RunJob>, token: string | undefined): Promise<unknown> {
    return this.#runs.use(job.data, (run) => {
      if (lane === 'source') return this.#source(run, job, token);
      if (lane === 'finish') return this.#finish(run, job);
      return this.#shard(run, job as Job<ShardJob>);
    });
  }

  async #source({ folder, graph, state }: OpenRun, job: Job<RunJob>, token: string | undefined): Promise<unknown> {
    const begun = performance.now();
    const { lanes } = phasesOf(graph.nodes);
    let told = 0;
    try {
      const records = await workSource(graph, folder, state, {
        signal: this.#stop.signal,
        onShard: (shard, phase) => addShard(this.#queue(lanes[phase]!), job.data, shard, phase),
        onProgress: (progress) => {
          if (performance.now() - told < PROGRESS_MILLISECONDS) return;
          told = performance.now();
          job.updateProgress({ ...progress }).catch(() => {});
        },
      });
      this.#tell({ event: 'read', out: folder.path, records, seconds: since(begun) });
      return { records };
    } catch (error) {
      if (!this.#stop.signal.aborted || this.#kill.signal.aborted) throw error;
      // What was read stays; another worker goes on behind it.
      await job.moveToWait(token);
      throw new WaitingError();
    }
  }

  async #shard({ folder, graph, state }: OpenRun, job: Job<ShardJob>): Promise<unknown> {
    const begun = performance.now();
    const { shard, phase } = job.data;
    const { isolate, concurrency } = this.#options;
    const { signal } = this.#kill;
    // Attempts that neither ended nor failed: their workers were lost.
    this.#tell({ event: 'begun', out: folder.path, shard, phase });
    const deaths = job.attemptsStarted - 1 - job.attemptsMade;
    let fate: ShardFate;
    if (isolate && deaths >= DEATHS) {
      this.#tell({ event: 'isolated', out: folder.path, shard, phase });
      fate = await isolate(folder, job.data, signal);
    } else {
      const bound = concurrency === undefined ? {} : { concurrency };
      fate = await workShard(graph, folder, state, job.data, { signal, ...bound });
    }
    if (fate.fate === 'next') {
      await addShard(this.#queue(phasesOf(graph.nodes).lanes[fate.phase]!), job.data, shard, fate.phase);
    }
    const records = 'records' in fate ? fate.records : 0;
    this.#tell({ event: 'shard', out: folder.path, shard, phase, fate: fate.fate, records, seconds: since(begun) });
    return { records };
  }

  async #finish({ folder, graph }: OpenRun, job: Job<RunJob>): Promise<unknown> {
    try {
      const { records } = await finishShards(graph, folder, { signal: this.#kill.signal });
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

function since(begun: number): number {
  return Math.round(performance.now() - begun) / 1000;
}
