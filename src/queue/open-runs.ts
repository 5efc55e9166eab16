import { UnrecoverableError } from 'bullmq';
import { OutputError } from '../errors.js';
import { digest } from '../files/digest.js';
import { closeStages } from '../graph/engine/execute.js';
import type { Graph } from '../graph/graph.js';
import type { RunState } from '../records/run-state.js';
import { RunFolder } from '../run-folder/run-folder.js';
import { graphDifference } from '../runs/prepare-run.js';
import type { RunJob } from './queues.js';

/** A run that a worker works on. */
export interface OpenRun {
  readonly folder: RunFolder;
  readonly state: RunState;
  readonly graph: Graph;
}

interface Entry {
  readonly run: Promise<OpenRun>;
  users: number;
}

/**
 * The runs whose jobs a worker does. A graph is kept, with all that its stages hold, until another run is worked on and
 * nobody uses it any more.
 */
export class OpenRuns {
  readonly #graphOf: (folder: RunFolder) => Promise<Graph>;
  readonly #entries = new Map<string, Entry>();

  constructor(graphOf: (folder: RunFolder) => Promise<Graph>) {
    this.#graphOf = graphOf;
  }

  /** Does something with the run of a job. */
  async use<T>(job: RunJob, work: (run: OpenRun) => Promise<T>): Promise<T> {
    const key = `${job.stateDigest} ${job.out}`;
    const entry = this.#entries.get(key) ?? { run: this.#begin(job), users: 0 };
    this.#entries.set(key, entry);
    entry.users++;
    try {
      await this.#closeIdle(key);
      return await work(await entry.run);
    } catch (error) {
      if (await isBroken(entry.run)) this.#entries.delete(key);
      throw error;
    } finally {
      entry.users--;
    }
  }

  /** Closes every graph. */
  async close(): Promise<void> {
    await this.#closeIdle('');
  }

  async #closeIdle(except: string): Promise<void> {
    for (const [key, { run, users }] of this.#entries) {
      if (key === except || users > 0) continue;
      this.#entries.delete(key);
      const open = await run.catch(() => null);
      if (open) await closeStages(open.graph.nodes);
    }
  }

  async #begin({ out, stateDigest: wanted }: RunJob): Promise<OpenRun> {
    const folder = new RunFolder(out);
    const state = await folder.state();
    if (!state) throw new OutputError(out, 'holds no run; do all workers see the folder under this path?');
    if (digest(state) !== wanted) throw new UnrecoverableError(`${out}: holds another run by now`);
    const graph = await this.#graphOf(folder);
    const difference = graphDifference(state, graph);
    if (difference) throw new OutputError(out, `can't work on the run: ${difference}`);
    return { folder, state, graph };
  }
}

async function isBroken(run: Promise<OpenRun>): Promise<boolean> {
  return run.then(
    () => false,
    () => true,
  );
}
