import type { OperatorSpec } from '../operators/operator.js';
import type { Source } from '../records/ports.js';
import type { Finisher, Sink } from '../sinks/sink.js';

/** A node of a graph. `inputs` are the nodes before it; a graph's nodes stand in an order that respects them. */
export type Node =
  | { readonly id: string; readonly kind: 'source'; readonly source: Source<object>; readonly inputs: readonly Node[] }
  | { readonly id: string; readonly kind: 'stage'; readonly spec: AnySpec; readonly inputs: readonly Node[] }
  | { readonly id: string; readonly kind: 'merge'; readonly inputs: readonly Node[] }
  | { readonly id: string; readonly kind: 'sink'; readonly sink: AnySink; readonly inputs: readonly Node[] };

// The builder's types have checked what goes in; inside the graph a record is just an object.
// biome-ignore lint/suspicious/noExplicitAny: a node's record type is known to the builder alone
export type AnySpec = OperatorSpec<any, object>;
// biome-ignore lint/suspicious/noExplicitAny: a node's record type is known to the builder alone
export type AnySink = Sink<any>;

/** A graph as the checks, the drawings and the engine see it. */
export interface GraphDefinition {
  readonly name: string;
  /** Every node after the nodes that it reads from. */
  readonly nodes: readonly Node[];
  /** What runs over the whole output, after the last record and before the manifest. */
  readonly finishers: readonly Finisher[];
}
