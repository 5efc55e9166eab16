import type { ChildProcess } from 'node:child_process';
import { type Ended, start } from './command.js';

/** What a worker says it did, see `WorkerEvent`. */
export interface Said {
  readonly event: string;
  /** When, as ISO 8601. */
  readonly at: string;
  readonly phase?: number;
  readonly shard?: number;
  readonly result?: string;
  readonly records?: number;
}

/** Workers of a test that die and are started again. */
export class WorkerCrowd {
  readonly #args: readonly string[];
  readonly #running = new Map<ChildProcess, Promise<Ended>>();
  readonly #ended: Ended[] = [];
  #open = true;

  /** @param args of `relflow worker`, beside `--json` */
  constructor(args: readonly string[]) {
    this.#args = ['worker', ...args, '--json'];
  }

  /** How many have ended otherwise than by `stop`. */
  deaths = 0;

  /** Starts one more, and another in its place whenever it dies. */
  add(wrapper: readonly string[] = []): void {
    const { process: child, ended } = start(this.#args, wrapper);
    this.#running.set(child, ended);
    void ended.then((end) => {
      this.#running.delete(child);
      this.#ended.push(end);
      if (!this.#open) return;
      this.deaths++;
      this.add(wrapper);
    });
  }

  /** Kills one of them with -9. */
  kill(which: number): void {
    const children = [...this.#running.keys()];
    children[which % children.length]?.kill('SIGKILL');
  }

  /** Ends them all; what they said. */
  async stop(): Promise<Said[]> {
    this.#open = false;
    const ends = [...this.#running.values()];
    for (const child of this.#running.keys()) child.kill('SIGTERM');
    const grace = setTimeout(() => {
      for (const child of this.#running.keys()) child.kill('SIGKILL');
    }, 20_000);
    await Promise.all(ends);
    clearTimeout(grace);
    return this.#ended.flatMap(({ stderr }) =>
      stderr.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Said] : [])),
    );
  }
}
