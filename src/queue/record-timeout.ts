import { RelflowError } from '../errors.js';

/** How long a worker waits for a record unless it is told otherwise: a model that is asked again and again takes minutes. */
export const RECORD_TIMEOUT_SECONDS = 900;

/** No record has ended for too long. */
export class RecordTimeout extends RelflowError {
  constructor(seconds: number) {
    super('stuck', `no record has ended for ${seconds} s`);
  }
}

/** Waits for the end of one record after another. */
export class RecordTimer {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(seconds: number) {
    this.#timer = setTimeout(() => this.#controller.abort(new RecordTimeout(seconds)), seconds * 1000);
  }

  /** Aborted, with an `OutOfPatience`, where it has lasted too long. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A record has ended. */
  renew(): void {
    this.#timer.refresh();
  }

  /** Nothing is waited for any more. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
