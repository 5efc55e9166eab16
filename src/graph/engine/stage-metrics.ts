/** Records that have passed a stage in this process so far, and the time that it took. */
export interface StageLoad {
  in: number;
  out: number;
  filtered: number;
  rejected: number;
  /** Elapsed time during which the stage held at least one record. */
  milliseconds: number;
}

/** Measures the stages of a run in this process. Unlike the counts of shards, it does not include earlier processes. */
export class StageMetrics {
  readonly #loads = new Map<string, StageLoad>();
  readonly #inside = new Map<string, { records: number; since: number }>();
  readonly #started = performance.now();

  /** A copy of the current loads by node id. */
  get stages(): Record<string, StageLoad> {
    return Object.fromEntries([...this.#loads].map(([node, load]) => [node, { ...load }]));
  }

  /** Seconds since the run started. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Counts a record that enters a stage. */
  enter(node: string): void {
    this.#load(node).in++;
    const inside = this.#inside.get(node) ?? { records: 0, since: 0 };
    if (inside.records++ === 0) inside.since = performance.now();
    this.#inside.set(node, inside);
  }

  /** Counts the result of a record that leaves a stage. */
  leave(node: string, result: 'out' | 'filtered' | 'rejected'): void {
    this.#load(node)[result]++;
    const inside = this.#inside.get(node)!;
    if (--inside.records === 0) this.#load(node).milliseconds += performance.now() - inside.since;
  }

  #load(node: string): StageLoad {
    const load = this.#loads.get(node) ?? { in: 0, out: 0, filtered: 0, rejected: 0, milliseconds: 0 };
    this.#loads.set(node, load);
    return load;
  }
}
