/** What has gone through a stage in this process so far. */
export interface StageLoad {
  in: number;
  out: number;
  filtered: number;
  rejected: number;
  /** Time that records spent in the stage, added up; more than the clock's where several were in it at once. */
  milliseconds: number;
}

/** Watches the stages of a run while it goes on. Unlike the counts of shards, it forgets what earlier runs did. */
export class Meter {
  readonly stages: Record<string, StageLoad> = {};
  readonly #begun = performance.now();

  /** Seconds since the run began. */
  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  /** Notes what became of one record in a stage, and how long it took. */
  passed(node: string, fate: 'out' | 'filtered' | 'rejected', milliseconds: number): void {
    this.stages[node] ??= { in: 0, out: 0, filtered: 0, rejected: 0, milliseconds: 0 };
    const load = this.stages[node];
    load.in++;
    load[fate]++;
    load.milliseconds += milliseconds;
  }
}
