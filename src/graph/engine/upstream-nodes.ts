import type { GraphDefinition, Node } from '../node.js';

/** Returns a node and the nodes that it depends on, in the graph's order. */
export function upstreamNodes(graph: GraphDefinition, node: Node): readonly Node[] {
  const reached = new Set<Node>();
  const visit = (next: Node) => {
    reached.add(next);
    next.inputs.forEach(visit);
  };
  visit(node);
  return graph.nodes.filter((other) => reached.has(other));
}
