import type { ChildProcess } from 'node:child_process';
import { type Ended, start } from './command.js';

/** A line that a worker prints with `--json`, see `WorkerEvent`. */
export interface ReportedEvent {
  readonly event: string;
  /** Time as ISO 8601. */
  readonly at: string;
  readonly phase?: number;
  readonly shard?: number;
  readonly result?: string;
  readonly records?: number;
}

/** Workers of a test, which are started again when they end. */
export class WorkerCrowd {
  readonly #args: readonly string[];
  readonly #running = new Map<ChildProcess, Promise<Ended>>();
  readonly #ended: Ended[] = [];
  #open = true;

  /** @param args of `relflow worker`, without `--json` */
  constructor(args: readonly string[]) {
    this.#args = ['worker', ...args, '--json'];
  }

  /** Number of workers that have ended before `stop`. */
  crashes = 0;

  /** Starts one more, and a new one whenever it ends. */
  add(wrapper: readonly string[] = []): void {
    const { process: child, ended } = start(this.#args, wrapper);
    this.#running.set(child, ended);
    void ended.then((end) => {
      this.#running.delete(child);
      this.#ended.push(end);
      if (!this.#open) return;
      this.crashes++;
      this.add(wrapper);
    });
  }

  /** Kills one of them with SIGKILL. */
  kill(which: number): void {
    const children = [...this.#running.keys()];
    children[which % children.length]?.kill('SIGKILL');
  }

  /** Stops all workers; resolves to the events that they have printed. */
  async stop(): Promise<ReportedEvent[]> {
    this.#open = false;
    const ends = [...this.#running.values()];
    for (const child of this.#running.keys()) child.kill('SIGTERM');
    const grace = setTimeout(() => {
      for (const child of this.#running.keys()) child.kill('SIGKILL');
    }, 20_000);
    await Promise.all(ends);
    clearTimeout(grace);
    return this.#ended.flatMap(({ stderr }) =>
      stderr.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as ReportedEvent] : [])),
    );
  }
}
