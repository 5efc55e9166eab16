/**
 * Counters of the requests of this process. They differ between runs, so they go to `report.json` and the screen, not
 * to the manifest.
 */
export interface Usage {
  /** Requests sent, including failed ones. */
  requests: number;
  /** Answers received. */
  answered: number;
  /** Answers found in the store. */
  cached: number;
  /** Answers that could not be read; their tokens are counted. */
  unreadable: number;
  /** Retries after a failure. */
  retried: number;
  /** Questions without an answer after all retries. */
  failed: number;
  /** Answers that are refusals or empty. */
  refused: number;
  inputTokens: number;
  outputTokens: number;
  /** Answers, unreadable ones included, for which the server did not report tokens; they are counted with the expected tokens. */
  unmetered: number;
  /** The cost in the currency of the prices; 0 without prices. */
  spend: number;
  /** Seconds during which questions waited for a rate limit, a retry or a pause, and no request was in flight. */
  waitedSeconds: number;
}

/** Returns counters that are all 0. */
export const emptyUsage = (): Usage => ({
  requests: 0,
  answered: 0,
  cached: 0,
  unreadable: 0,
  retried: 0,
  failed: 0,
  refused: 0,
  inputTokens: 0,
  outputTokens: 0,
  unmetered: 0,
  spend: 0,
  waitedSeconds: 0,
});
