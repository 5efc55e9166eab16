import { QueueEvents } from 'bullmq';
import { RelflowError } from '../errors.js';
import type { Lane } from '../operators/operator.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { ShardLayout } from '../run-folder/shard-layout.js';
import { checkServer, type QueueServer } from './queue-server.js';
import { LANES, PREFIX, queueOf, type ShardQueue } from './queues.js';
import { savedRunId } from './run-id.js';

const POLL_MILLISECONDS = 1000;

/** A lane's jobs, of all runs, and who does them. */
export interface LaneStatus {
  readonly lane: Lane;
  readonly workers: number;
  readonly waiting: number;
  readonly active: number;
  /** Waiting for their next attempt. */
  readonly delayed: number;
  readonly failed: number;
}

/** How far a run is. */
export interface RunStatus {
  readonly out: string;
  /** `working` covers reading; `unknown` where the queues know nothing of the run. */
  readonly state: 'working' | 'finishing' | 'finished' | 'failed' | 'unknown';
  /** Why it failed. */
  readonly reason?: string;
  readonly shards: { readonly complete: number; readonly total: number | null };
  /** Records in complete shards. */
  readonly records: { readonly done: number; readonly total: number | null };
  /** How far the sources are read; null once they are, or before that begins. */
  readonly reading: { readonly phase: string; readonly done: number; readonly total: number | null } | null;
  readonly lanes: readonly LaneStatus[];
}

/** Looks at a run again and again. Close it after use. */
export class RunWatch {
  readonly #folder: RunFolder;
  readonly #queues: ReadonlyMap<Lane, ShardQueue>;
  readonly #server: QueueServer;
  #events: QueueEvents | null = null;

  private constructor(server: QueueServer, folder: RunFolder) {
    this.#server = server;
    this.#folder = folder;
    this.#queues = new Map(LANES.map((lane) => [lane, queueOf(server, lane)]));
  }

  /** @throws RelflowError `bad-queue` where the server can't be reached */
  static async open(server: QueueServer, folder: RunFolder): Promise<RunWatch> {
    await checkServer(server);
    return new RunWatch(server, folder);
  }

  async status(): Promise<RunStatus> {
    const folder = this.#folder;
    const [manifest, state, extent, complete, run] = await Promise.all([
      folder.manifest(),
      folder.state(),
      folder.extent(),
      folder.completeShards(),
      savedRunId(folder),
    ]);
    const lanes = await Promise.all(LANES.map((lane) => this.#lane(lane)));
    const layout = new ShardLayout(state?.sharding ?? { records: 1 });
    const total = manifest?.records ?? extent?.records ?? null;
    const common = {
      out: folder.path,
      shards: { complete: complete.size, total: total === null ? null : layout.count(total) },
      records: { done: Math.min(layout.first(complete.size), total ?? Number.POSITIVE_INFINITY), total },
      lanes,
    };
    // Who wrote the manifest still has to clear away; the run's name in the queues goes last.
    if (manifest && run === null) return { ...common, state: 'finished', reading: null };
    const queue = this.#queues.get('finish')!;
    const job = run === null ? undefined : await queue.getJob(run);
    if (!job) return { ...common, state: manifest ? 'finished' : 'unknown', reading: null };
    const jobState = await job.getState();
    if (manifest && jobState === 'completed') return { ...common, state: 'finished', reading: null };
    if (jobState === 'failed') return { ...common, state: 'failed', reason: job.failedReason, reading: null };
    const reader = await this.#queues.get('source')!.getJob(`${run}-source`);
    const reading = total === null ? ((reader?.progress ?? null) as RunStatus['reading']) : null;
    return {
      ...common,
      state: jobState === 'waiting-children' ? 'working' : 'finishing',
      reading: reading && typeof reading === 'object' ? reading : null,
    };
  }

  /** Waits for a while, or until a run ends. */
  wait(signal: AbortSignal): Promise<void> {
    const events = this.#events ?? new QueueEvents('finish', { connection: this.#server.options, prefix: PREFIX });
    if (!this.#events) events.on('error', () => {});
    this.#events = events;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        events.off('completed', end).off('failed', end);
        resolve();
      };
      const timer = setTimeout(end, POLL_MILLISECONDS);
      signal.addEventListener('abort', end);
      events.on('completed', end).on('failed', end);
    });
  }

  async close(): Promise<void> {
    await this.#events?.close();
    for (const queue of this.#queues.values()) await queue.close();
  }

  async #lane(lane: Lane): Promise<LaneStatus> {
    const queue = this.#queues.get(lane)!;
    const [counts, workers] = await Promise.all([
      queue.getJobCounts('waiting', 'active', 'delayed', 'failed'),
      queue.getWorkersCount(),
    ]);
    const of = (name: string) => counts[name] ?? 0;
    return {
      lane,
      workers,
      waiting: of('waiting'),
      active: of('active'),
      delayed: of('delayed'),
      failed: of('failed'),
    };
  }
}

/**
 * Waits for the end of a run.
 *
 * @param onStatus told now and then how far it is
 * @throws RelflowError `failed-run` where shards were given up; the signal's reason once it is aborted
 */
export async function waitForRun(
  watch: RunWatch,
  { signal, onStatus }: { readonly signal: AbortSignal; readonly onStatus?: (status: RunStatus) => void },
): Promise<RunStatus> {
  for (let unknown = 0; ; ) {
    signal.throwIfAborted();
    const status = await watch.status();
    onStatus?.(status);
    if (status.state === 'finished') return status;
    if (status.state === 'failed') throw new RelflowError('failed-run', status.reason ?? 'the run failed');
    // Between the last shard and the manifest a job may be nowhere for a moment.
    unknown = status.state === 'unknown' ? unknown + 1 : 0;
    if (unknown > 20)
      throw new RelflowError('failed-run', `${status.out}: the queues know nothing of the run any more`);
    await watch.wait(signal);
  }
}
