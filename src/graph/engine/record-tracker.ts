import type { StageCounts } from '../../records/manifest.js';
import type { Reject } from '../../records/reject.js';
import type { OperatorStamp } from '../../records/scene-graph.js';
import { add, emptyCounts } from '../../records/stage-counts.js';
import type { PendingRecord, WorkItem } from '../../run-folder/work-item.js';
import type { Node } from '../node.js';

/** Everything that came of one record of the input, when all of it has come. */
export interface Outcome {
  /** Position in the input, from 0, over all sources. */
  readonly ordinal: number;
  /** Lines for sinks: by sink, then by branch. */
  readonly writes: readonly { readonly sink: string; readonly line: string }[];
  readonly rejects: readonly Reject[];
  /** By node id. */
  readonly stages: Readonly<Record<string, StageCounts>>;
  /** Records that reached the node that is being collected, if one is. */
  readonly collected: readonly object[];
  /** The same with what waits for a later phase; null where there is but one phase. */
  readonly work: WorkItem | null;
}

/** A record on its way: `trail` is where it has been, `path` which branches it took. */
export interface Token {
  readonly tracker: RecordTracker;
  readonly record: object;
  readonly trail: readonly OperatorStamp[];
  readonly path: string;
}

/** Keeps the books of one record of the input until the last of its tokens has ended. */
export class RecordTracker {
  readonly ordinal: number;
  readonly #order: ReadonlyMap<Node, number>;
  readonly #whenSettled: (outcome: Outcome) => void;
  #tokens = 1;
  readonly #writes: { readonly at: number; readonly path: string; readonly sink: string; readonly line: string }[] = [];
  readonly #rejects: { readonly at: number; readonly path: string; readonly reject: Reject }[] = [];
  readonly #collected: { readonly path: string; readonly record: object }[] = [];
  readonly #pending: PendingRecord[] = [];
  readonly #stages: Record<string, StageCounts> = {};
  readonly #inPhases: boolean;

  /** @param inPhases whether what comes of the record is to be taken up again by another process */
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

  /** Takes over what an earlier phase left; each pending record is a token. */
  resume({ writes, rejects, stages, pending }: WorkItem, nodes: ReadonlyMap<string, Node>): void {
    const at = (id: string) => this.#order.get(nodes.get(id)!)!;
    for (const write of writes) this.#writes.push({ at: at(write.sink), ...write });
    for (const { path, reject } of rejects) this.#rejects.push({ at: at(reject.stage), path, reject });
    // Read from a file for this ledger alone, so they may be added to.
    Object.assign(this.#stages, stages);
    this.#tokens = pending.length + 1;
  }

  /** Puts a token aside for a later phase. */
  defer(pending: PendingRecord): void {
    this.#pending.push(pending);
    this.settle(0);
  }

  /** The counts of a node, to be added to. */
  stage(node: Node): StageCounts {
    this.#stages[node.id] ??= emptyCounts();
    return this.#stages[node.id]!;
  }

  write(node: Node, path: string, line: string): void {
    this.#writes.push({ at: this.#order.get(node)!, path, sink: node.id, line });
  }

  reject(node: Node, path: string, reject: Reject): void {
    add(this.stage(node).rejected, reject.reason, 1);
    this.#rejects.push({ at: this.#order.get(node)!, path, reject });
  }

  collect(path: string, record: object): void {
    this.#collected.push({ path, record });
  }

  /** One token became `count` tokens: 0 where it ended. */
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

/** By node, then by branch: whatever finished first, the order is the same. */
function byNodeThenPath(a: { at: number; path: string }, b: { at: number; path: string }): number {
  return a.at - b.at || byPath(a, b);
}
