import type { Node } from '../node.js';
import type { ExecuteOptions } from './execute-options.js';

/** Returns how many records a node processes at once; 0 for nodes that are not stages. */
export function stageConcurrency(node: Node, { concurrency }: Pick<ExecuteOptions, 'concurrency'>): number {
  return node.kind === 'stage' ? (concurrency ?? node.spec.concurrency ?? 1) : 0;
}
