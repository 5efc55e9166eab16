/** Time that a queue has worked, in seconds. */
export interface QueueTimes {
  /** Items that are done. */
  readonly items: number;
  readonly batches: number;
  readonly busySeconds: number;
  /** Time after the first item in which none was ready. */
  readonly idleSeconds: number;
}

interface Waiting<T, R> {
  readonly key: string;
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Processes items in batches of equal keys, one batch at a time and the oldest item first. A batch never waits for items that
 * are not there yet, so that a result must not depend on its batch.
 */
export class BatchQueue<T, R> {
  readonly #size: number;
  readonly #process: (items: readonly T[]) => Promise<readonly R[]>;
  readonly #waiting: Waiting<T, R>[] = [];
  #isRunning = false;
  #items = 0;
  #batches = 0;
  #busy = 0;
  #idle = 0;
  #idleSince: number | null = null;

  /**
   * @param size maximum number of items in a batch
   * @param process returns a result for each item; if it fails for several items, each is processed alone
   */
  constructor(size: number, process: (items: readonly T[]) => Promise<readonly R[]>) {
    this.#size = size;
    this.#process = process;
  }

  get times(): QueueTimes {
    return { items: this.#items, batches: this.#batches, busySeconds: this.#busy, idleSeconds: this.#idle };
  }

  /** Adds an item. @param key of the items that may share a batch with it */
  add(key: string, item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, item, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // Items that are added in the same turn share the first batch.
    await Promise.resolve();
    const start = performance.now();
    if (this.#idleSince !== null) this.#idle += (start - this.#idleSince) / 1000;
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#settle(batch);
      } catch (error) {
        if (batch.length === 1) batch[0]!.reject(error);
        // One item may have failed the others.
        else for (const one of batch) await this.#settle([one]).catch(one.reject);
      }
    }
    const end = performance.now();
    this.#busy += (end - start) / 1000;
    this.#idleSince = end;
    this.#isRunning = false;
  }

  /** Takes the oldest item and those that may share its batch. */
  #take(): Waiting<T, R>[] {
    const { key } = this.#waiting[0]!;
    const batch: Waiting<T, R>[] = [];
    for (let k = 0; k < this.#waiting.length && batch.length < this.#size; )
      if (this.#waiting[k]!.key === key) batch.push(...this.#waiting.splice(k, 1));
      else k++;
    return batch;
  }

  async #settle(batch: readonly Waiting<T, R>[]): Promise<void> {
    const results = await this.#process(batch.map(({ item }) => item));
    this.#batches++;
    this.#items += batch.length;
    for (const [k, { resolve }] of batch.entries()) resolve(results[k]!);
  }
}
