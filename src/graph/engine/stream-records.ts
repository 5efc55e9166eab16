import { RecordError } from '../../errors.js';
import { checkPositiveInteger } from '../../records/option-checks.js';
import type { Reject } from '../../records/reject.js';
import { checkWiring } from '../check-wiring.js';
import type { GraphDefinition, Node } from '../node.js';
import { execute } from './execute.js';
import { upstreamNodes } from './upstream-nodes.js';

/** Options of a flow's `records` and `observable`. */
export interface RecordsOptions {
  readonly signal?: AbortSignal;
  /** Number of records that each stage processes at once, instead of the stage's own. */
  readonly concurrency?: number;
  /** Called with each rejected record. Without it the first rejected record is thrown: nothing is dropped silently. */
  readonly onReject?: (reject: Reject) => void;
  /** Called with each decision of a stage and its reason. */
  readonly explain?: (node: string, line: string) => void;
}

/**
 * Yields the records that reach a node, in the order of the input. No sink is written.
 *
 * @throws WiringError or OptionError before anything is read; RecordError for a rejected record without `onReject`
 */
export async function* streamRecords(
  graph: GraphDefinition,
  node: Node,
  { onReject, ...options }: RecordsOptions,
): AsyncGenerator<object, void> {
  checkWiring(graph);
  if (options.concurrency !== undefined) checkPositiveInteger('records', 'concurrency', options.concurrency);
  for await (const { rejects, collected } of execute(upstreamNodes(graph, node), {
    mode: 'collect',
    node,
    ...options,
  })) {
    for (const reject of rejects) {
      if (!onReject) throw new RecordError(reject.reason, `${reject.stage}: ${reject.message}`, { ...reject });
      onReject(reject);
    }
    yield* collected;
  }
}
