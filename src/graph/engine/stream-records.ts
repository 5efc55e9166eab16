import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordError } from '../../errors.js';
import { checkPositiveInteger } from '../../records/option-checks.js';
import type { Reject } from '../../records/reject.js';
import { checkWiring } from '../check-wiring.js';
import type { GraphDefinition, Node } from '../node.js';
import { execute } from './execute.js';
import type { ExecuteOptions } from './execute-options.js';

export interface RecordsOptions {
  readonly signal?: AbortSignal;
  /** Replaces every stage's own concurrency. */
  readonly concurrency?: number;
  /** Told of each refused record. Without it the first refused record is thrown, as nothing is dropped silently. */
  readonly onReject?: (reject: Reject) => void;
  /** Told of each stage's decisions. */
  readonly explain?: (node: string, line: string) => void;
}

/** The records that reach a node, in the order of the input. No sink is written. */
export async function* streamRecords(
  graph: GraphDefinition,
  node: Node,
  options: RecordsOptions,
): AsyncGenerator<object, void> {
  checkWiring(graph);
  if (options.concurrency !== undefined) checkPositiveInteger('records', 'concurrency', options.concurrency);
  const part = upstream(graph, node);
  const { signal = new AbortController().signal, onReject, concurrency, explain } = options;
  const tempDir = await mkdtemp(join(tmpdir(), 'relflow-'));
  const execution: ExecuteOptions = {
    signal,
    stop: new AbortController().signal,
    tempDir,
    collect: node,
    ...(concurrency !== undefined && { concurrency }),
    ...(explain && { explain }),
  };
  try {
    for await (const { rejects, collected } of execute(part, execution)) {
      for (const reject of rejects) {
        if (!onReject) throw new RecordError(reject.reason, `${reject.stage}: ${reject.message}`, { ...reject });
        onReject(reject);
      }
      yield* collected;
    }
  } finally {
    await closeStages(part);
    await rm(tempDir, { recursive: true, force: true });
  }
}

/** The nodes that a node depends on, and itself, in the graph's order. */
export function upstream(graph: GraphDefinition, node: Node): readonly Node[] {
  const wanted = new Set<Node>();
  const visit = (at: Node) => {
    wanted.add(at);
    at.inputs.forEach(visit);
  };
  visit(node);
  return graph.nodes.filter((other) => wanted.has(other));
}

/** Lets every stage give back what it holds. */
export async function closeStages(nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) if (node.kind === 'stage') await node.spec.close?.();
}
