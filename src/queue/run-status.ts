import { RelflowError } from '../errors.js';
import type { Lane } from '../operators/operator.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { ShardLayout } from '../run-folder/shard-layout.js';
import { QueueEvents } from './queue-packages.js';
import { checkServer, type QueueServer } from './queue-server.js';
import { LANES, openQueue, PREFIX, type ShardQueue } from './queues.js';
import { savedRunId } from './run-id.js';

const POLL_MILLISECONDS = 1000;

/** Jobs of a lane, over all runs, and the number of its workers. */
export interface LaneStatus {
  readonly lane: Lane;
  readonly workers: number;
  readonly waiting: number;
  readonly active: number;
  /** Jobs that wait for their next attempt. */
  readonly delayed: number;
  readonly failed: number;
}

/** Status of a run in the queues. */
export interface RunStatus {
  readonly out: string;
  /** `working` includes reading the sources; `unknown` means that the queues do not contain the run. */
  readonly state: 'working' | 'finishing' | 'finished' | 'failed' | 'unknown';
  /** Why the run failed. */
  readonly reason?: string;
  readonly shards: { readonly complete: number; readonly total: number | null };
  /** Records in complete shards. */
  readonly records: { readonly done: number; readonly total: number | null };
  /** Progress of reading the sources; null before it starts and after it ends. */
  readonly reading: { readonly phase: string; readonly done: number; readonly total: number | null } | null;
  readonly lanes: readonly LaneStatus[];
}

/**
 * Watches a run in the queues. Close it after use.
 *
 * @example
 * ```ts
 * import { RunFolder } from 'relflow';
 * import { queueServer, RunWatch, waitForRun } from 'relflow/queue';
 *
 * const watch = await RunWatch.open(queueServer('redis://queue:6379'), new RunFolder('/shared/out'));
 * const { signal } = new AbortController();
 * await waitForRun(watch, { signal, onStatus: ({ shards }) => console.log(shards.complete, shards.total) });
 * await watch.close();
 * ```
 */
export class RunWatch {
  readonly #folder: RunFolder;
  readonly #queues: ReadonlyMap<Lane, ShardQueue>;
  readonly #server: QueueServer;
  #events: InstanceType<typeof QueueEvents> | null = null;

  private constructor(server: QueueServer, folder: RunFolder) {
    this.#server = server;
    this.#folder = folder;
    this.#queues = new Map(LANES.map((lane) => [lane, openQueue(server, lane)]));
  }

  /** @throws RelflowError `bad-queue` when the server cannot be reached */
  static async open(server: QueueServer, folder: RunFolder): Promise<RunWatch> {
    await checkServer(server);
    return new RunWatch(server, folder);
  }

  /** Reads the current status from the folder and the server. */
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
    // The process that wrote the manifest then removes files, the run's id last.
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

  /** Waits for a second, until a run ends or until the signal is aborted. */
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

  /** Closes the connections to the server. */
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
 * Waits until a run is finished and returns its last status.
 *
 * @param onStatus called about once a second
 * @throws RelflowError `failed-run` when shards failed after all attempts; the signal's reason once it is aborted
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
    // A job may be in no queue for a moment between the last shard and the manifest.
    unknown = status.state === 'unknown' ? unknown + 1 : 0;
    if (unknown > 20) throw new RelflowError('failed-run', `${status.out}: the queues no longer contain the run`);
    await watch.wait(signal);
  }
}
