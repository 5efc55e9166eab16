import { RelflowError } from '../errors.js';
import type { Tokens } from '../records/answer.js';

/** The kind of failure of one request. */
export type FailureKind = 'network' | 'timeout' | 'status' | 'malformed' | 'too-large';

/** Thrown when one request got no usable answer. The request policy decides whether it is retried. */
export class RequestFailure extends RelflowError {
  readonly kind: FailureKind;
  /** The HTTP status, if the server answered. */
  readonly status: number | undefined;
  /** The time in seconds that the server asks clients to wait before the next request. */
  readonly retryAfter: number | undefined;
  /** Whether the account has no credit left, so that no further request will be answered: a 402, or a 429 of OpenAI's servers. */
  readonly isCreditSpent: boolean;
  /** The tokens that the server billed for an answer without use. */
  readonly tokens: Tokens | undefined;

  constructor(
    kind: FailureKind,
    problem: string,
    {
      status,
      retryAfter,
      isCreditSpent = false,
      tokens,
    }: { status?: number; retryAfter?: number; isCreditSpent?: boolean; tokens?: Tokens } = {},
  ) {
    super('request-failed', problem, { kind, ...(status !== undefined && { status }) });
    this.kind = kind;
    this.status = status;
    this.retryAfter = retryAfter;
    this.isCreditSpent = isCreditSpent;
    this.tokens = tokens;
  }
}
