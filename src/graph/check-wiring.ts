import { WiringError } from '../errors.js';
import { REJECTS } from '../run-folder/run-folder.js';
import type { GraphDefinition, Node } from './node.js';

/**
 * Checks that every stage, sink and finisher of a graph gets what it needs.
 *
 * @returns the fields that records have after each node
 * @throws WiringError naming the stage and the missing field, or another mismatch
 * @example
 * ```ts
 * import { checkWiring, coco, Graph } from 'relflow';
 *
 * const graph = new Graph('coco');
 * graph.from(coco({ annotations: 'instances.json' })).filter('busy', ({ detections }) => detections.length > 9);
 * checkWiring(graph);
 * ```
 */
export function checkWiring(graph: GraphDefinition): ReadonlyMap<Node, ReadonlySet<string>> {
  const fields = new Map<Node, ReadonlySet<string>>();
  if (graph.nodes.length === 0)
    throw new WiringError(`${graph.name}: the graph is empty, expected a source and a sink`);
  for (const node of graph.nodes) {
    const before = fieldsBefore(node, fields);
    if (node.kind === 'stage') requireFields(graph, node, node.spec.needs, before);
    if (node.kind === 'sink') requireFields(graph, node, node.sink.needs, before);
    fields.set(node, new Set([...before, ...addedFields(node)]));
  }
  for (const node of graph.nodes) {
    if (node.kind === 'sink' && (node.id === REJECTS || !/^[a-z][a-z0-9-]*$/.test(node.id))) {
      throw new WiringError(
        `${graph.name}: sink name '${node.id}', expected lower-case words joined by hyphens, other than '${REJECTS}'`,
      );
    }
  }
  const sinks = graph.nodes.filter((node) => node.kind === 'sink').map((node) => node.id);
  for (const finisher of graph.finishers) {
    const missing = finisher.needs.find((name) => !sinks.includes(name));
    if (missing !== undefined) {
      throw new WiringError(
        `${graph.name}: '${finisher.name}' reads the sink '${missing}', which the graph does not have`,
      );
    }
  }
  return fields;
}

/**
 * Checks that every branch ends in a sink: without one its records would be processed and then dropped.
 *
 * @throws WiringError naming the last node of such a branch
 */
export function checkEnds(graph: GraphDefinition): void {
  const end = graph.nodes.find(
    (node) => node.kind !== 'sink' && !graph.nodes.some((other) => other.inputs.includes(node)),
  );
  if (end)
    throw new WiringError(`${graph.name}: nothing follows '${end.id}'; end the flow with .to(sink)`, { node: end.id });
}

function addedFields(node: Node): readonly string[] {
  if (node.kind === 'source') return node.source.adds;
  return node.kind === 'stage' ? node.spec.adds : [];
}

/** Returns the fields of the records that a node receives. After a merge these are the fields that all inputs have. */
function fieldsBefore(node: Node, fields: ReadonlyMap<Node, ReadonlySet<string>>): ReadonlySet<string> {
  const [first = new Set<string>(), ...others] = node.inputs.map((input) => fields.get(input) ?? new Set<string>());
  return new Set([...first].filter((field) => others.every((other) => other.has(field))));
}

function requireFields(graph: GraphDefinition, node: Node, needs: readonly string[], has: ReadonlySet<string>): void {
  const missing = needs.find((field) => !has.has(field));
  if (missing === undefined) return;
  const operator = ADDED_BY[missing];
  const hint = operator ? `; add a stage before it that adds the field, such as ${operator}` : '';
  throw new WiringError(
    `${graph.name}: '${node.id}' needs the field '${missing}', but its records have only ${[...has].join(', ') || 'no fields'}${hint}`,
    { node: node.id, missing },
  );
}

/** Operator that adds a field, for messages. */
const ADDED_BY: Readonly<Record<string, string>> = {
  captions: 'caption()',
  phrases: 'parse()',
  mentions: 'match()',
  candidates: 'pair()',
  relations: 'tag()',
};
