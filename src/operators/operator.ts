import { defer, filter, finalize, map, type Observable } from 'rxjs';
import { OptionError } from '../errors.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Forecast } from '../records/ports.js';
import { orderedMap } from './ordered-map.js';

/** What an operator answers to leave a record out on purpose. */
export const FILTERED: unique symbol = Symbol('filtered');

/** What an operator is given beside the record. */
export interface OperatorContext {
  /** Aborted where the run ends early, or nobody is subscribed any more. */
  readonly signal: AbortSignal;
  /** Counts something by name for the run's report; negative amounts are not allowed. */
  count(name: string, by?: number): void;
  /** Present when somebody inspects a record: one line on a decision and its reason. */
  readonly explain?: (line: string) => void;
}

/**
 * Which machines do a stage in a run on many: those that read the input files, any with a processor, those that ask
 * vision-language models, those that tag with a model. `finish` is what ends a run.
 */
export type Lane = 'source' | 'cpu' | 'captions' | 'tagging' | 'finish';

/** An operator as data and one function a record. */
export interface OperatorSpec<Needs, Adds> {
  /** Lower case, e.g. `match`; unique in a graph or numbered there. */
  readonly name: string;
  /** Changes whenever the same record and options could give another result. */
  readonly version: string;
  /** Plain JSON: what manifests and digests say of it. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Fields that a record must have. */
  readonly needs: readonly (keyof Needs & string)[];
  /** Fields that a record has afterwards. */
  readonly adds: readonly (keyof Adds & string)[];
  /** How many records at once; 1 unless the work waits for something outside. */
  readonly concurrency?: number;
  /**
   * Which machines do it in a run on many; `any` where it is so cheap that it is done wherever the record is. Default:
   * `source` where it has `files`, else `cpu`.
   */
  readonly lane?: Exclude<Lane, 'finish'> | 'any';
  /** Input files of the operator's own, for checks and checksums before the run. */
  readonly files?: () => Promise<readonly string[]>;
  /** What a record would still cost, where the work costs something; does none of it. */
  readonly forecast?: (record: Needs, signal: AbortSignal) => Promise<Forecast>;
  /** What was asked of a model so far in this process, for the run's report. */
  readonly usage?: () => Readonly<Record<string, number>>;
  /** Called once when a run is over, however it ended. */
  readonly close?: () => Promise<void>;
  /**
   * The fields to add to this record (or to replace in it), or FILTERED.
   * @throws RecordError to refuse this record; anything else that is thrown on purpose ends the run
   */
  readonly apply: (
    record: Needs,
    context: OperatorContext,
  ) => Adds | typeof FILTERED | PromiseLike<Adds | typeof FILTERED>;
}

/**
 * An operator: a stage of a graph, and a plain RxJS operator, `records$.pipe(parse(), match())`. There a refused
 * record is the error notification; in a graph it goes to the rejects and the run goes on.
 */
export interface Operator<Needs, Adds> {
  <R extends Needs>(source: Observable<R>): Observable<R & Adds>;
  readonly spec: OperatorSpec<Needs, Adds>;
}

/**
 * Makes an operator of one function a record.
 *
 * @example
 * const largeBoxes = operator({
 *   name: 'large-boxes', version: '1', needs: ['detections'], adds: ['detections'],
 *   apply: (record: ImageRecord) => ({ detections: record.detections.filter((d) => d.box[2] * d.box[3] > 1024) }),
 * });
 * @throws OptionError where the name or the concurrency is out of range
 */
export function operator<Needs extends object, Adds extends object>(
  spec: OperatorSpec<Needs, Adds>,
): Operator<Needs, Adds> {
  if (!/^[a-z][a-z0-9-]*$/.test(spec.name)) {
    throw new OptionError('operator', `name '${spec.name}', expected lower-case words joined by hyphens`);
  }
  const concurrency = spec.concurrency ?? 1;
  checkPositiveInteger(spec.name, 'concurrency', concurrency);
  const call = <R extends Needs>(source: Observable<R>): Observable<R & Adds> =>
    defer(() => {
      const ended = new AbortController();
      const context: OperatorContext = { signal: ended.signal, count: () => {} };
      return source.pipe(
        orderedMap(async (record: R) => {
          const added = await spec.apply(record, context);
          return added === FILTERED ? FILTERED : { ...record, ...added };
        }, concurrency),
        filter((record) => record !== FILTERED),
        map((record) => record as R & Adds),
        // Work for which nobody waits any more need not go on.
        finalize(() => ended.abort()),
      );
    });
  return Object.assign(call, { spec });
}
