import { RelflowError } from '../errors.js';

/** What went wrong with one request. */
export type FailureKind = 'network' | 'timeout' | 'status' | 'malformed' | 'too-large';

/** One request without a usable answer. The policy decides whether it is sent again. */
export class RequestFailure extends RelflowError {
  readonly kind: FailureKind;
  /** Of HTTP, where the server answered. */
  readonly status: number | undefined;
  /** What the server asks for before the next request, in seconds. */
  readonly retryAfter: number | undefined;

  constructor(
    kind: FailureKind,
    problem: string,
    { status, retryAfter }: { status?: number; retryAfter?: number } = {},
  ) {
    super('request-failed', problem, { kind, ...(status !== undefined && { status }) });
    this.kind = kind;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}
