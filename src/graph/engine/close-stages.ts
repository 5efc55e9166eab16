import type { Node } from '../node.js';

/** Closes the stages among the nodes, which releases what they hold. A closed stage opens again when it is used. */
export async function closeStages(nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) if (node.kind === 'stage') await node.spec.close?.();
}
