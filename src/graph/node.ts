import type { OperatorSpec } from '../operators/operator.js';
import type { Source } from '../records/ports.js';
import type { Finisher, Sink } from '../sinks/sink.js';

/** A node of a graph. `inputs` are the nodes that it reads from. */
export type Node =
  | { readonly id: string; readonly kind: 'source'; readonly source: Source<object>; readonly inputs: readonly Node[] }
  | { readonly id: string; readonly kind: 'stage'; readonly spec: AnySpec; readonly inputs: readonly Node[] }
  | { readonly id: string; readonly kind: 'merge'; readonly inputs: readonly Node[] }
  | { readonly id: string; readonly kind: 'sink'; readonly sink: AnySink; readonly inputs: readonly Node[] };

// The types of `Flow` check what enters a graph; inside it a record is only an object.
// biome-ignore lint/suspicious/noExplicitAny: only `Flow` knows a node's record type
export type AnySpec = OperatorSpec<any, object>;
// biome-ignore lint/suspicious/noExplicitAny: only `Flow` knows a node's record type
export type AnySink = Sink<any>;

/** A graph as the checks, the drawings and the engine see it. */
export interface GraphDefinition {
  readonly name: string;
  /** Every node, after the nodes that it reads from. */
  readonly nodes: readonly Node[];
  /** Finishers run over the whole output, after the last record and before the manifest. */
  readonly finishers: readonly Finisher[];
}
