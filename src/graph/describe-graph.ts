import { digest } from '../files/digest.js';
import type { NodeDescription } from '../records/manifest.js';
import type { OperatorStamp } from '../records/scene-graph.js';
import type { Finisher } from '../sinks/sink.js';
import type { GraphDefinition, Node } from './node.js';

/**
 * Describes a graph as plain JSON: its nodes and finishers with their versions, options, fields and inputs.
 *
 * @example
 * ```ts
 * import { coco, describeGraph, Graph } from 'relflow';
 *
 * const graph = new Graph('coco');
 * graph.from(coco({ annotations: 'instances.json' }));
 * console.log(JSON.stringify(describeGraph(graph), null, 2));
 * ```
 */
export function describeGraph(graph: GraphDefinition): NodeDescription[] {
  return [...graph.nodes.map(describeNode), ...graph.finishers.map(describeFinisher)];
}

function describeNode(node: Node): NodeDescription {
  const { id, kind } = node;
  const inputs = node.inputs.map((input) => input.id);
  switch (node.kind) {
    case 'source': {
      const { name, version, options, adds } = node.source;
      return { id, kind, name, version, options: { ...options }, needs: [], adds: [...adds], inputs };
    }
    case 'stage': {
      const { name, version, options = {}, needs, adds } = node.spec;
      return { id, kind, name, version, options: { ...options }, needs: [...needs], adds: [...adds], inputs };
    }
    case 'merge':
      return { id, kind, name: 'merge', version: '1', options: {}, needs: [], adds: [], inputs };
    case 'sink': {
      const { name, version, options = {}, needs } = node.sink;
      return { id, kind, name, version, options: { ...options }, needs: [...needs], adds: [], inputs };
    }
  }
}

function describeFinisher({ name, version, options = {}, needs }: Finisher): NodeDescription {
  return {
    id: name,
    kind: 'finisher',
    name,
    version,
    options: { ...options },
    needs: [],
    adds: [],
    inputs: [...needs],
  };
}

/** Returns a node's name, version and the digest of its options, for the provenance of records. */
export function operatorStamp(node: Node): OperatorStamp {
  const { name, version, options } = describeNode(node);
  return { name, version, options: digest(options).slice(0, 12) };
}
