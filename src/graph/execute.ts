import { mergeMap, Subject, type Subscription } from 'rxjs';
import { RecordError, RelflowError } from '../errors.js';
import { FILTERED } from '../operators/operator.js';
import { isThenable, settle } from '../operators/ordered-map.js';
import type { SourceItem, SourceProgress } from '../records/ports.js';
import type { Reject } from '../records/reject.js';
import type { OperatorStamp } from '../records/scene-graph.js';
import { add } from '../records/stage-counts.js';
import { schemaProblem } from '../records/validate.js';
import { stampOf } from './describe.js';
import { Gate } from './gate.js';
import type { Node } from './graph.js';
import { Hall } from './hall.js';
import { Ledger, type Outcome, type Token } from './ledger.js';
import type { Meter } from './meter.js';

export interface ExecuteOptions {
  /** Ends at once; what is in flight is lost. */
  readonly signal: AbortSignal;
  /** Reads nothing more, but finishes what is in flight. */
  readonly stop: AbortSignal;
  /** For what sources spill to disk. */
  readonly tempDir: string;
  /** So many records of the input are done already. */
  readonly skip?: number;
  /** Replaces every stage's own concurrency. */
  readonly concurrency?: number;
  /** Collects the records that reach this node. */
  readonly collect?: Node;
  readonly meter?: Meter;
  readonly onProgress?: (progress: SourceProgress) => void;
  readonly explain?: (node: string, line: string) => void;
  /** Passes over the items for which it is false, as if the sources did not have them. */
  readonly only?: (item: SourceItem<object>) => boolean;
}

/**
 * Runs the nodes of a graph and yields what came of each record of its input, in the order of the input. Pull-based: no more than a
 * bounded number of records are between the sources and the consumer.
 *
 * Each stage is a Subject with a `mergeMap` of bounded concurrency, so records may overtake each other on the way; the
 * order is restored here.
 */
export async function* execute(
  nodes: readonly Node[],
  options: ExecuteOptions,
): AsyncGenerator<Outcome, void, undefined> {
  const hall = new Hall();
  const window = Math.max(32, 2 * nodes.reduce((sum, node) => sum + concurrencyOf(node, options), 0));
  const gate = new Gate(window);
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const network = new Network(
    nodes,
    { ...options, signal },
    (outcome) => hall.arrive(outcome),
    (e) => hall.fail(e),
  );
  const close = () => gate.close();
  const fail = () => hall.fail(options.signal.reason);
  options.signal.throwIfAborted();
  options.signal.addEventListener('abort', fail);
  signal.addEventListener('abort', close);
  options.stop.addEventListener('abort', close);
  const pumped = pump(nodes, network, gate, { ...options, signal }).then(
    (total) => hall.close(total),
    (error: unknown) => hall.fail(error),
  );
  try {
    for (let next = options.skip ?? 0; ; next++) {
      const outcome = await hall.take(next);
      if (!outcome) return;
      options.signal.throwIfAborted();
      yield outcome;
      gate.leave();
    }
  } finally {
    options.signal.removeEventListener('abort', fail);
    ended.abort();
    // A source that does not listen must not hold up who wants to stop at once.
    if (!options.signal.aborted) await pumped;
    network.close();
    options.stop.removeEventListener('abort', close);
  }
}

function concurrencyOf(node: Node, { concurrency }: ExecuteOptions): number {
  return node.kind === 'stage' ? (concurrency ?? node.spec.concurrency ?? 1) : 0;
}

/** Reads the sources one after another, as far as there is room. Resolves to the number of records. */
async function pump(nodes: readonly Node[], network: Network, gate: Gate, options: ExecuteOptions): Promise<number> {
  const signal = AbortSignal.any([options.signal, options.stop]);
  let ordinal = 0;
  let breath = performance.now();
  for (const node of nodes) {
    if (node.kind !== 'source') continue;
    const context = { signal, tempDir: options.tempDir, progress: progressAfter(ordinal, options.onProgress) };
    try {
      for await (const item of node.source.read(context)) {
        if (options.only?.(item) === false) continue;
        if (ordinal >= (options.skip ?? 0)) {
          if (!(await gate.enter())) return ordinal;
          network.enter(node, item, ordinal);
        }
        ordinal++;
        // Where nothing waits for a disk, timers and signals would never get a turn.
        if (performance.now() - breath > 20) {
          await new Promise(setImmediate);
          breath = performance.now();
        }
      }
    } catch (error) {
      if (options.stop.aborted && !options.signal.aborted) return ordinal;
      throw error;
    }
    if (signal.aborted) return ordinal;
  }
  return ordinal;
}

/** Progress of a source that comes after so many records of others. */
function progressAfter(before: number, report: ExecuteOptions['onProgress']): (progress: SourceProgress) => void {
  return ({ phase, done, total }) => {
    if (phase === 'reading') report?.({ phase, done, total });
    else report?.({ phase, done: before + done, total: total === null ? null : before + total });
  };
}

/** The stages of a graph, wired. */
class Network {
  readonly #options: ExecuteOptions;
  readonly #order: ReadonlyMap<Node, number>;
  readonly #whenSettled: (outcome: Outcome) => void;
  readonly #next: ReadonlyMap<Node, readonly Node[]>;
  readonly #ports = new Map<Node, Subject<Token>>();
  readonly #subscriptions: Subscription[] = [];
  readonly #trails = new Map<Node, WeakMap<readonly OperatorStamp[], readonly OperatorStamp[]>>();
  readonly #stamps: ReadonlyMap<Node, OperatorStamp>;

  constructor(
    nodes: readonly Node[],
    options: ExecuteOptions,
    whenSettled: (outcome: Outcome) => void,
    whenFailed: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#whenSettled = whenSettled;
    this.#order = new Map(nodes.map((node, index) => [node, index]));
    this.#next = new Map(nodes.map((node) => [node, nodes.filter((other) => other.inputs.includes(node))]));
    this.#stamps = new Map(nodes.map((node) => [node, stampOf(node)]));
    for (const node of nodes) {
      if (node.kind !== 'stage') continue;
      const port = new Subject<Token>();
      this.#ports.set(node, port);
      this.#subscriptions.push(
        port
          .pipe(mergeMap((token) => settle(() => this.#work(node, token)), concurrencyOf(node, options)))
          .subscribe({ error: whenFailed }),
      );
    }
  }

  /** Takes in an item of a source. */
  enter(node: Node & { kind: 'source' }, item: SourceItem<object>, ordinal: number): void {
    const ledger = new Ledger(ordinal, this.#order, this.#whenSettled);
    const counts = ledger.stage(node);
    counts.in = 1;
    for (const [name, by] of Object.entries(item.counts ?? {})) add(counts.counts, name, by);
    for (const reject of item.rejects ?? []) {
      ledger.reject(node, '', { format: 'relflow.reject/1', stage: node.id, record: ordinal, ...reject });
    }
    this.#options.meter?.enter(node.id);
    this.#options.meter?.leave(node.id, item.record ? 'out' : 'rejected');
    if (!item.record) {
      ledger.became(0);
      return;
    }
    counts.out = 1;
    this.#leave(node, { ledger, record: item.record, trail: NO_STAMPS, path: '' });
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  /** Sends a token on to whatever follows the node. */
  #leave(node: Node, token: Token): void {
    const { collect } = this.#options;
    const next = this.#next.get(node)!;
    const trail = this.#extend(node, token.trail);
    if (node === collect) token.ledger.collect(token.path, token.record);
    token.ledger.became(next.length);
    next.forEach((follower, branch) => {
      const path = next.length === 1 ? token.path : token.path + String.fromCharCode(branch);
      this.#arrive(follower, { ...token, trail, path });
    });
  }

  #arrive(node: Node, token: Token): void {
    if (node.kind === 'stage') this.#ports.get(node)!.next(token);
    else if (node.kind === 'sink') this.#write(node, token);
    else this.#leave(node, token);
  }

  /** Stamps are shared by all records that took the same way. */
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
    const counts = token.ledger.stage(node);
    const { explain, meter } = this.#options;
    const context = {
      signal: this.#options.signal,
      count: (name: string, by = 1) => add(counts.counts, name, by),
      ...(explain && { explain: (line: string) => explain(node.id, line) }),
    };
    counts.in++;
    const passOn = (result: object | typeof FILTERED) => {
      const passed = result !== FILTERED;
      counts[passed ? 'out' : 'filtered']++;
      meter?.leave(node.id, passed ? 'out' : 'filtered');
      if (passed) this.#leave(node, { ...token, record: { ...token.record, ...result } });
      else token.ledger.became(0);
    };
    const refuse = (error: unknown) => {
      this.#refuse(node, token, error);
      meter?.leave(node.id, 'rejected');
      token.ledger.became(0);
    };
    let result: ReturnType<typeof node.spec.apply>;
    meter?.enter(node.id);
    try {
      result = node.spec.apply(token.record, context);
    } catch (error) {
      return refuse(error);
    }
    // A synchronous stage goes on at once, without a turn of the event loop for each record and stage.
    return isThenable(result) ? result.then(passOn, refuse) : passOn(result);
  }

  #write(node: Node & { kind: 'sink' }, token: Token): void {
    const counts = token.ledger.stage(node);
    const { meter } = this.#options;
    meter?.enter(node.id);
    counts.in++;
    let line: unknown;
    let problem: unknown;
    try {
      line = node.sink.line(token.record, { operators: [...token.trail] });
      const misfit = node.sink.schema ? schemaProblem(node.sink.schema, line) : null;
      if (misfit !== null)
        problem = new RecordError('schema', `the record does not fit ${node.sink.schema}: ${misfit}`);
    } catch (error) {
      problem = error;
    }
    if (problem === undefined) {
      counts.out++;
      token.ledger.write(node, token.path, JSON.stringify(line));
      meter?.leave(node.id, 'out');
    } else {
      meter?.leave(node.id, 'rejected');
      this.#refuse(node, token, problem);
    }
    token.ledger.became(0);
  }

  /** A bad record is refused and the run goes on; broken I/O, or anything else thrown on purpose, ends the run. */
  #refuse(node: Node, { ledger, record, path }: Token, error: unknown): void {
    const fatal = (error instanceof RelflowError && !(error instanceof RecordError)) || isSystemError(error);
    if (fatal || this.#options.signal.aborted) throw error;
    const image = (record as { image?: { id?: number | string } }).image?.id;
    const reject: Reject = {
      format: 'relflow.reject/1',
      stage: node.id,
      reason: error instanceof RecordError ? error.reason : 'unexpected-error',
      message: error instanceof Error ? error.message : String(error),
      record: ledger.ordinal,
      ...(image !== undefined && { image }),
    };
    ledger.reject(node, path, reject);
  }
}

const NO_STAMPS: readonly OperatorStamp[] = [];

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
