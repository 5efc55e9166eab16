import { RelflowError } from '../errors.js';

/** Default time for a record: retried requests to a model take minutes. */
export const RECORD_TIMEOUT_SECONDS = 900;

/** Reports that no record has finished for too long. */
export class RecordTimeout extends RelflowError {
  constructor(seconds: number) {
    super('stuck', `no record has finished for ${seconds} s`);
  }
}

/** Aborts a signal when no record finishes for a number of seconds. */
export class RecordTimer {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(seconds: number) {
    this.#timer = setTimeout(() => this.#controller.abort(new RecordTimeout(seconds)), seconds * 1000);
  }

  /** Aborted with a `RecordTimeout` when the time has passed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Restarts the time; called after each record. */
  renew(): void {
    this.#timer.refresh();
  }

  /** Stops the timer. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
