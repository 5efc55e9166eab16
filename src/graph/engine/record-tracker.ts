import type { StageCounts } from '../../records/manifest.js';
import type { Reject } from '../../records/reject.js';
import type { OperatorStamp } from '../../records/scene-graph.js';
import { addCount, emptyCounts } from '../../records/stage-counts.js';
import type { PendingRecord, WorkItem } from '../../run-folder/work-item.js';
import type { Node } from '../node.js';

/** Result of one record of the input after all of its branches have ended. */
export interface Outcome {
  /** Position in the input over all sources, from 0. */
  readonly ordinal: number;
  /** Lines for sinks, ordered by sink and then by branch. */
  readonly writes: readonly { readonly sink: string; readonly line: string }[];
  readonly rejects: readonly Reject[];
  /** By node id. */
  readonly stages: Readonly<Record<string, StageCounts>>;
  /** Records that reached the collected node; empty unless the mode is `collect`. */
  readonly collected: readonly object[];
  /** State of the record for the next phase, with what is pending; null unless the mode is a phase. */
  readonly work: WorkItem | null;
}

/** A record in flight: `trail` has the stamps of the nodes that it has passed, `path` the branches that it has taken. */
export interface Token {
  readonly tracker: RecordTracker;
  readonly record: object;
  readonly trail: readonly OperatorStamp[];
  readonly path: string;
}

/** Collects the lines, rejects and counts of one record of the input until the last of its tokens has ended. */
export class RecordTracker {
  readonly ordinal: number;
  readonly #order: ReadonlyMap<Node, number>;
  readonly #whenSettled: (outcome: Outcome) => void;
  #tokens = 1;
  readonly #writes: {
    readonly position: number;
    readonly path: string;
    readonly sink: string;
    readonly line: string;
  }[] = [];
  readonly #rejects: { readonly position: number; readonly path: string; readonly reject: Reject }[] = [];
  readonly #collected: { readonly path: string; readonly record: object }[] = [];
  readonly #pending: PendingRecord[] = [];
  readonly #stages: Record<string, StageCounts> = {};
  readonly #inPhases: boolean;

  /** @param inPhases whether the outcome includes the state from which another process can resume */
  constructor(
    ordinal: number,
    order: ReadonlyMap<Node, number>,
    whenSettled: (outcome: Outcome) => void,
    inPhases = false,
  ) {
    this.ordinal = ordinal;
    this.#order = order;
    this.#whenSettled = whenSettled;
    this.#inPhases = inPhases;
  }

  /** Takes over the state of earlier phases. Each pending record becomes a token. */
  resume({ writes, rejects, stages, pending }: WorkItem, nodes: ReadonlyMap<string, Node>): void {
    const position = (id: string) => this.#order.get(nodes.get(id)!)!;
    for (const write of writes) this.#writes.push({ position: position(write.sink), ...write });
    for (const { path, reject } of rejects) this.#rejects.push({ position: position(reject.stage), path, reject });
    // No one else holds this item, so its counts may be changed.
    Object.assign(this.#stages, stages);
    this.#tokens = pending.length + 1;
  }

  /** Leaves a token to a later phase. */
  defer(pending: PendingRecord): void {
    this.#pending.push(pending);
    this.settle(0);
  }

  /** Returns the counts of a node, for the caller to add to. */
  stage(node: Node): StageCounts {
    this.#stages[node.id] ??= emptyCounts();
    return this.#stages[node.id]!;
  }

  write(node: Node, path: string, line: string): void {
    this.#writes.push({ position: this.#order.get(node)!, path, sink: node.id, line });
  }

  reject(node: Node, path: string, reject: Reject): void {
    addCount(this.stage(node).rejected, reject.reason, 1);
    this.#rejects.push({ position: this.#order.get(node)!, path, reject });
  }

  collect(path: string, record: object): void {
    this.#collected.push({ path, record });
  }

  /** Replaces one token by `count` tokens, 0 when it has ended. Reports the outcome after the last one. */
  settle(count: number): void {
    this.#tokens += count - 1;
    if (this.#tokens > 0) return;
    const writes = this.#writes.sort(byNodeThenPath);
    const rejects = this.#rejects.sort(byNodeThenPath);
    this.#whenSettled({
      ordinal: this.ordinal,
      writes,
      rejects: rejects.map((entry) => entry.reject),
      stages: this.#stages,
      collected: this.#collected.sort(byPath).map((entry) => entry.record),
      work: this.#inPhases ? this.#work() : null,
    });
  }

  #work(): WorkItem {
    return {
      ordinal: this.ordinal,
      writes: this.#writes.map(({ sink, path, line }) => ({ sink, path, line })),
      rejects: this.#rejects.map(({ path, reject }) => ({ path, reject })),
      stages: this.#stages,
      pending: this.#pending.sort(byPath),
    };
  }
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

/** Orders entries by node and then by branch, so that the order does not depend on timing. */
function byNodeThenPath(a: { position: number; path: string }, b: { position: number; path: string }): number {
  return a.position - b.position || byPath(a, b);
}
