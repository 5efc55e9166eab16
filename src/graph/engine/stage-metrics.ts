/** What has gone through a stage in this process so far. */
export interface StageLoad {
  in: number;
  out: number;
  filtered: number;
  rejected: number;
  /** Time by the clock during which at least one record was in the stage. */
  milliseconds: number;
}

/** Watches the stages of a run while it goes on. Unlike the counts of shards, it forgets what earlier runs did. */
export class StageMetrics {
  readonly #loads = new Map<string, StageLoad>();
  readonly #inside = new Map<string, { records: number; since: number }>();
  readonly #begun = performance.now();

  /** What has gone through each stage up to now; what comes later does not change it. */
  get stages(): Record<string, StageLoad> {
    return Object.fromEntries([...this.#loads].map(([node, load]) => [node, { ...load }]));
  }

  /** Seconds since the run began. */
  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  /** Notes that a record has come to a stage. */
  enter(node: string): void {
    this.#load(node).in++;
    const inside = this.#inside.get(node) ?? { records: 0, since: 0 };
    if (inside.records++ === 0) inside.since = performance.now();
    this.#inside.set(node, inside);
  }

  /** Notes what became of a record that had come to a stage. */
  leave(node: string, fate: 'out' | 'filtered' | 'rejected'): void {
    this.#load(node)[fate]++;
    const inside = this.#inside.get(node)!;
    if (--inside.records === 0) this.#load(node).milliseconds += performance.now() - inside.since;
  }

  #load(node: string): StageLoad {
    const load = this.#loads.get(node) ?? { in: 0, out: 0, filtered: 0, rejected: 0, milliseconds: 0 };
    this.#loads.set(node, load);
    return load;
  }
}
