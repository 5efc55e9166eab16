import { defer, filter, finalize, map, type Observable } from 'rxjs';
import { OptionError } from '../errors.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Forecast } from '../records/ports.js';
import { orderedMap } from './ordered-map.js';

/** Returned by an operator to drop a record on purpose; the record is counted as filtered. */
export const FILTERED: unique symbol = Symbol.for('relflow.filtered');

/** The context in which an operator is called. */
export interface OperatorContext {
  /** Aborts when the run ends early or the last subscriber has left. */
  readonly signal: AbortSignal;
  /** Adds `by` (default 1, not negative) to a named count of the run's report. */
  count(name: string, by?: number): void;
  /**
   * Counts a text under a name, such as a noun without a category; the run's summary shows the most frequent ones. Defined only
   * in a run of one process.
   */
  readonly tally?: (name: string, text: string) => void;
  /** Receives one line per decision with its reason; defined only when a record is inspected. */
  readonly explain?: (line: string) => void;
}

/**
 * Kind of worker that runs a stage of a distributed run: workers that read the input files (`source`), any worker (`cpu`),
 * workers that call vision-language models (`captions`), and workers that tag with a model (`tagging`). `finish` is the job that
 * completes a run.
 */
export type Lane = 'source' | 'cpu' | 'captions' | 'tagging' | 'finish';

/** Describes an operator: data for checks and reports, and a function that processes one record. */
export interface OperatorSpec<Needs, Adds> {
  /** Lower-case words joined by hyphens, e.g. `match`. A graph numbers repeated names. */
  readonly name: string;
  /** Must change whenever the same record and options could give another result. */
  readonly version: string;
  /** Options as plain JSON, for manifests and digests. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Fields that a record must have. */
  readonly needs: readonly (keyof Needs & string)[];
  /** Fields that the operator adds or replaces. */
  readonly adds: readonly (keyof Adds & string)[];
  /** Number of records to process concurrently; default 1. A higher number helps only if the work waits for a disk or a server. */
  readonly concurrency?: number;
  /**
   * Workers that run it in a distributed run; `any` for work so cheap that it runs wherever the record is. Default: `source` if
   * it has `files`, else `cpu`.
   */
  readonly lane?: Exclude<Lane, 'finish'> | 'any';
  /** Returns the paths of the operator's input files, which are checked and hashed before the run. */
  readonly files?: () => Promise<readonly string[]>;
  /** Estimates the remaining requests and cost of one record without sending a request. */
  readonly forecast?: (record: Needs, signal: AbortSignal) => Promise<Forecast>;
  /** Returns counters of the requests of this process, by name, for the run's report. */
  readonly usage?: () => Readonly<Record<string, number>>;
  /** Releases resources; called once when the run has ended. */
  readonly close?: () => Promise<void>;
  /**
   * Returns the fields to add to the record or to replace in it, or FILTERED to drop the record.
   * @throws RecordError to reject this record; any other RelflowError ends the run
   */
  readonly apply: (
    record: Needs,
    context: OperatorContext,
  ) => Adds | typeof FILTERED | PromiseLike<Adds | typeof FILTERED>;
}

/**
 * An operator: a stage of a graph and an RxJS operator, `records$.pipe(parse(), match())`. In RxJS a rejected record is an
 * error notification; in a graph it goes to the rejects, and the run continues.
 *
 * @example
 * ```ts
 * import { type Captioned, type Operator, type Parsed, parse } from 'relflow';
 * import { from } from 'rxjs';
 *
 * const stage: Operator<Captioned, Parsed> = parse();
 * console.log(stage.spec.name, stage.spec.version);
 * const record: Captioned = { captions: [{ text: 'a man riding a horse', source: 'example' }] };
 * from([record])
 *   .pipe(stage)
 *   .subscribe(({ phrases }) => console.log(phrases[0]?.relations));
 * ```
 */
export interface Operator<Needs, Adds> {
  <R extends Needs>(source: Observable<R>): Observable<R & Adds>;
  readonly spec: OperatorSpec<Needs, Adds>;
}

/**
 * Makes an operator from a function that processes one record.
 *
 * @throws OptionError when the name or the concurrency is invalid
 *
 * @example
 * ```ts
 * import { FILTERED, type ImageRecord, operator } from 'relflow';
 *
 * const largeBoxes = operator({
 *   name: 'large-boxes',
 *   version: '1',
 *   needs: ['detections'],
 *   adds: ['detections'],
 *   apply: ({ detections }: ImageRecord) => {
 *     const large = detections.filter(({ box: [, , width, height] }) => width * height > 1024);
 *     return large.length > 0 ? { detections: large } : FILTERED;
 *   },
 * });
 * ```
 */
export function operator<Needs extends object, Adds extends object>(
  spec: OperatorSpec<Needs, Adds>,
): Operator<Needs, Adds> {
  if (!/^[a-z][a-z0-9-]*$/.test(spec.name)) {
    throw new OptionError('operator', `name '${spec.name}', expected lower-case words joined by hyphens`);
  }
  const concurrency = spec.concurrency ?? 1;
  checkPositiveInteger(spec.name, 'concurrency', concurrency);
  const apply = <R extends Needs>(source: Observable<R>): Observable<R & Adds> =>
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
        // Aborts work whose result has no subscriber left.
        finalize(() => ended.abort()),
      );
    });
  return Object.assign(apply, { spec });
}
