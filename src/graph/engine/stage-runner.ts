import { mergeMap, Subject, type Subscription } from 'rxjs';
import { RecordError, RelflowError } from '../../errors.js';
import { isThenable } from '../../operators/is-thenable.js';
import { FILTERED, type OperatorContext } from '../../operators/operator.js';
import { toObservable } from '../../operators/ordered-map.js';
import type { SourceItem } from '../../records/ports.js';
import type { Reject } from '../../records/reject.js';
import type { OperatorStamp } from '../../records/scene-graph.js';
import { schemaProblem } from '../../records/schema-problem.js';
import { addCount } from '../../records/stage-counts.js';
import type { WorkItem } from '../../run-folder/work-item.js';
import { operatorStamp } from '../describe-graph.js';
import type { Node } from '../node.js';
import { checkLine, checkSourceRecord, checkStageResult } from './check-result.js';
import type { ResolvedOptions } from './execute-options.js';
import { type Outcome, RecordTracker, type Token } from './record-tracker.js';
import { stageConcurrency } from './stage-concurrency.js';

/**
 * Passes records from node to node. Each stage is a Subject with a `mergeMap` of bounded concurrency, so records may
 * overtake each other.
 */
export class StageRunner {
  readonly #options: ResolvedOptions;
  readonly #order: ReadonlyMap<Node, number>;
  readonly #whenSettled: (outcome: Outcome) => void;
  readonly #followers: ReadonlyMap<Node, readonly Node[]>;
  readonly #stageInputs = new Map<Node, Subject<Token>>();
  readonly #subscriptions: Subscription[] = [];
  readonly #trails = new Map<Node, WeakMap<readonly OperatorStamp[], readonly OperatorStamp[]>>();
  readonly #stamps: ReadonlyMap<Node, OperatorStamp>;
  readonly #idOfStamp: ReadonlyMap<OperatorStamp, string>;
  readonly #nodeById: ReadonlyMap<string, Node>;
  readonly #deferred: ReadonlySet<Node>;
  readonly #collected: Node | null;
  /** What the contexts of all records of a stage share. */
  readonly #contexts: ReadonlyMap<Node, Omit<OperatorContext, 'count'>>;

  constructor(
    nodes: readonly Node[],
    options: ResolvedOptions,
    whenSettled: (outcome: Outcome) => void,
    whenFailed: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#whenSettled = whenSettled;
    this.#order = new Map(nodes.map((node, index) => [node, index]));
    this.#followers = new Map(nodes.map((node) => [node, nodes.filter((other) => other.inputs.includes(node))]));
    this.#stamps = new Map(nodes.map((node) => [node, operatorStamp(node)]));
    this.#idOfStamp = new Map([...this.#stamps].map(([node, stamp]) => [stamp, node.id]));
    this.#nodeById = new Map(nodes.map((node) => [node.id, node]));
    this.#deferred = deferredStages(nodes, options);
    this.#collected = options.mode === 'collect' ? options.node : null;
    this.#contexts = new Map(nodes.map((node) => [node, sharedContext(node, options)]));
    for (const node of nodes) {
      if (node.kind !== 'stage') continue;
      const input = new Subject<Token>();
      this.#stageInputs.set(node, input);
      this.#subscriptions.push(
        input
          .pipe(mergeMap((token) => toObservable(() => this.#work(node, token)), stageConcurrency(node, options)))
          .subscribe({ error: whenFailed }),
      );
    }
  }

  /** Starts an item of a source on its way through the graph. */
  start(node: Node & { kind: 'source' }, item: SourceItem<object>, ordinal: number): void {
    const tracker = this.#tracker(ordinal);
    const counts = tracker.stage(node);
    counts.in = 1;
    for (const [name, by] of Object.entries(item.counts ?? {})) addCount(counts.counts, name, by);
    for (const reject of item.rejects ?? []) {
      const full: Reject = { format: 'relflow.reject/1', stage: node.id, record: ordinal, ...reject };
      this.#options.observations?.reject(full);
      tracker.reject(node, '', full);
    }
    if (item.record !== undefined || !(item.rejects || item.counts)) checkSourceRecord(node, item.record, ordinal);
    if (item.record) this.#options.observations?.read(item.record);
    this.#options.metrics?.enter(node.id);
    this.#options.metrics?.leave(node.id, item.record ? 'out' : 'rejected');
    if (!item.record) {
      tracker.settle(0);
      return;
    }
    counts.out = 1;
    this.#leave(node, { tracker, record: item.record, trail: NO_STAMPS, path: '' });
  }

  /** Resumes what earlier phases deferred of a record, or rejects it unprocessed. */
  resume(item: WorkItem, rejection: RecordError | null): void {
    const tracker = this.#tracker(item.ordinal);
    tracker.resume(item, this.#nodeById);
    for (const { node: id, path, record, trail: ids } of item.pending) {
      const node = this.#nodeById.get(id)!;
      let trail = NO_STAMPS;
      for (const before of ids) trail = this.#extend(this.#nodeById.get(before)!, trail);
      const token = { tracker, record, trail, path };
      if (rejection) {
        tracker.stage(node).in++;
        this.#reject(node, token, rejection);
        tracker.settle(0);
      } else this.#arrive(node, token);
    }
    tracker.settle(0);
  }

  #tracker(ordinal: number): RecordTracker {
    const { mode } = this.#options;
    const inPhases = mode === 'first-phase' || mode === 'later-phase';
    return new RecordTracker(ordinal, this.#order, this.#whenSettled, inPhases);
  }

  /** Unsubscribes from every stage; records that are still in one are dropped. */
  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  /** Sends a token to every node that follows. */
  #leave(node: Node, token: Token): void {
    const next = this.#followers.get(node)!;
    const trail = this.#extend(node, token.trail);
    if (node === this.#collected) token.tracker.collect(token.path, token.record);
    token.tracker.settle(next.length);
    next.forEach((follower, branch) => {
      const path = next.length === 1 ? token.path : token.path + String.fromCharCode(branch);
      this.#arrive(follower, { ...token, trail, path });
    });
  }

  #arrive(node: Node, token: Token): void {
    if (this.#deferred.has(node)) {
      const trail = token.trail.map((stamp) => this.#idOfStamp.get(stamp)!);
      token.tracker.defer({ node: node.id, trail, path: token.path, record: token.record });
    } else if (node.kind === 'stage') this.#stageInputs.get(node)!.next(token);
    else if (node.kind === 'sink') this.#write(node, token);
    else this.#leave(node, token);
  }

  /** Returns a trail with the node's stamp added. Records that took the same path share one array. */
  #extend(node: Node, trail: readonly OperatorStamp[]): readonly OperatorStamp[] {
    if (node.kind === 'merge') return trail;
    let known = this.#trails.get(node);
    if (!known) {
      known = new WeakMap();
      this.#trails.set(node, known);
    }
    let longer = known.get(trail);
    if (!longer) {
      longer = [...trail, this.#stamps.get(node)!];
      known.set(trail, longer);
    }
    return longer;
  }

  #work(node: Node & { kind: 'stage' }, token: Token): void | PromiseLike<void> {
    const counts = token.tracker.stage(node);
    const { metrics } = this.#options;
    const { signal, tally, explain } = this.#contexts.get(node)!;
    const count = (name: string, by = 1) => addCount(counts.counts, name, by);
    // Written out, since a spread for each record is slower; what is undefined is as good as missing.
    const context = { signal, tally, explain, count } as OperatorContext;
    counts.in++;
    const passOn = (result: object | typeof FILTERED) => {
      checkStageResult(node, result, token.record, token.tracker.ordinal);
      const passed = result !== FILTERED;
      counts[passed ? 'out' : 'filtered']++;
      metrics?.leave(node.id, passed ? 'out' : 'filtered');
      if (passed) this.#leave(node, { ...token, record: { ...token.record, ...result } });
      else token.tracker.settle(0);
    };
    const reject = (error: unknown) => {
      this.#reject(node, token, error);
      metrics?.leave(node.id, 'rejected');
      token.tracker.settle(0);
    };
    let result: ReturnType<typeof node.spec.apply>;
    metrics?.enter(node.id);
    try {
      result = node.spec.apply(token.record, context);
    } catch (error) {
      return reject(error);
    }
    // A synchronous result is passed on without a turn of the event loop.
    return isThenable(result) ? result.then(passOn, reject) : passOn(result);
  }

  #write(node: Node & { kind: 'sink' }, token: Token): void {
    const counts = token.tracker.stage(node);
    const { metrics } = this.#options;
    metrics?.enter(node.id);
    counts.in++;
    let line: unknown;
    let problem: unknown;
    try {
      line = node.sink.line(token.record, { operators: [...token.trail] });
      checkLine(node, line, token.record, token.tracker.ordinal);
      const mismatch = node.sink.schema ? schemaProblem(node.sink.schema, line) : null;
      if (mismatch !== null)
        problem = new RecordError('schema', `the record does not fit ${node.sink.schema}: ${mismatch}`);
    } catch (error) {
      problem = error;
    }
    if (problem === undefined) {
      counts.out++;
      token.tracker.write(node, token.path, JSON.stringify(line));
      this.#options.observations?.write(node.id, token.record);
      metrics?.leave(node.id, 'out');
    } else {
      metrics?.leave(node.id, 'rejected');
      this.#reject(node, token, problem);
    }
    token.tracker.settle(0);
  }

  /** Rejects a bad record and continues; throws system errors and errors that end the run. */
  #reject(node: Node, { tracker, record, path }: Token, error: unknown): void {
    const fatal = (error instanceof RelflowError && !(error instanceof RecordError)) || isSystemError(error);
    if (fatal || this.#options.signal.aborted) throw error;
    const image = (record as { image?: { id?: number | string } }).image?.id;
    const reject: Reject = {
      format: 'relflow.reject/1',
      stage: node.id,
      reason: error instanceof RecordError ? error.reason : 'unexpected-error',
      message: error instanceof Error ? error.message : String(error),
      record: tracker.ordinal,
      ...(image !== undefined && { image }),
    };
    this.#options.observations?.reject(reject);
    tracker.reject(node, path, reject);
  }
}

function sharedContext(node: Node, { signal, explain, observations }: ResolvedOptions): Omit<OperatorContext, 'count'> {
  return {
    signal,
    ...(observations && { tally: (name: string, text: string) => observations.tally(node.id, name, text) }),
    ...(explain && { explain: (line: string) => explain(node.id, line) }),
  };
}

const NO_STAMPS: readonly OperatorStamp[] = [];

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** Returns the stages of later phases: records that reach one are deferred. */
function deferredStages(nodes: readonly Node[], options: ResolvedOptions): ReadonlySet<Node> {
  if (options.mode !== 'first-phase' && options.mode !== 'later-phase') return new Set();
  const { phaseOf } = options.phases;
  const phase = options.mode === 'first-phase' ? 0 : options.phase;
  return new Set(nodes.filter((node) => node.kind === 'stage' && phaseOf.get(node)! > phase));
}
