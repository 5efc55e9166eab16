import { OutputError, RelflowError } from '../errors.js';
import { digest } from '../files/digest.js';
import { describeGraph } from '../graph/describe-graph.js';
import { closeStages } from '../graph/engine/close-stages.js';
import type { Graph } from '../graph/graph.js';
import type { RunState } from '../records/run-state.js';
import { checkNoLinks } from '../run-folder/run-entries.js';
import { RunFolder } from '../run-folder/run-folder.js';
import { graphDifference } from '../runs/graph-difference.js';
import type { RunJob } from './jobs.js';
import { UnrecoverableError } from './queue-packages.js';

/** Run that a worker works on. */
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
 * Keeps the runs whose jobs a worker processes. A graph and the resources of its stages stay open until a job of another
 * run starts and no job uses the graph.
 */
export class OpenRuns {
  readonly #graphOf: (folder: RunFolder) => Promise<Graph>;
  readonly #entries = new Map<string, Entry>();

  constructor(graphOf: (folder: RunFolder) => Promise<Graph>) {
    this.#graphOf = graphOf;
  }

  /**
   * Opens the run of a job, or takes the open one, and calls a function with it.
   *
   * @throws OutputError or UnrecoverableError when the folder does not contain the job's run
   */
  async use<T>(job: RunJob, work: (run: OpenRun) => Promise<T>): Promise<T> {
    const key = `${job.stateDigest} ${job.out}`;
    const entry = this.#entries.get(key) ?? { run: this.#openRun(job), users: 0 };
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

  async #openRun({ out, stateDigest: wanted }: RunJob): Promise<OpenRun> {
    const folder = new RunFolder(out);
    await checkNoLinks(folder, []);
    const state = await folder.state();
    if (!state) throw new OutputError(out, 'contains no run; check that every worker sees the folder under this path');
    if (digest(state) !== wanted) throw new UnrecoverableError(`${out}: contains another run now`);
    const graph = await this.#graphOf(folder).catch((error: unknown) => {
      // Another attempt would be refused too.
      if (error instanceof RelflowError && error.code === 'untrusted-run') throw new UnrecoverableError(error.message);
      throw error;
    });
    const difference = graphDifference(state, describeGraph(graph));
    if (difference) throw new OutputError(out, `cannot work on the run: ${difference}`);
    return { folder, state, graph };
  }
}

async function isBroken(run: Promise<OpenRun>): Promise<boolean> {
  return run.then(
    () => false,
    () => true,
  );
}
