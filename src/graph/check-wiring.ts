import { WiringError } from '../errors.js';
import { REJECTS } from '../run-folder/run-folder.js';
import type { GraphDefinition, Node } from './node.js';

/**
 * The fields of a record behind each node.
 *
 * @throws WiringError naming the stage and the field that it misses, or what else does not fit together
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
        `${graph.name}: sink '${node.id}', expected lower-case words joined by hyphens, not '${REJECTS}'`,
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
 * Refuses a graph with a branch that leads nowhere: its records would be worked on and then dropped.
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

/** Behind a merge only fields that all its inputs have are certain. */
function fieldsBefore(node: Node, fields: ReadonlyMap<Node, ReadonlySet<string>>): ReadonlySet<string> {
  const [first = new Set<string>(), ...others] = node.inputs.map((input) => fields.get(input) ?? new Set<string>());
  return new Set([...first].filter((field) => others.every((other) => other.has(field))));
}

function requireFields(graph: GraphDefinition, node: Node, needs: readonly string[], has: ReadonlySet<string>): void {
  const missing = needs.find((field) => !has.has(field));
  if (missing === undefined) return;
  const maker = ADDED_BY[missing];
  const hint = maker ? `; put a stage that adds it before, such as ${maker}` : '';
  throw new WiringError(
    `${graph.name}: '${node.id}' needs '${missing}', but records have only ${[...has].join(', ') || 'nothing'} there${hint}`,
    { node: node.id, missing },
  );
}

/** Which operator makes a field, for messages. */
const ADDED_BY: Readonly<Record<string, string>> = {
  captions: 'caption()',
  phrases: 'parse()',
  mentions: 'match()',
  candidates: 'pair()',
  relations: 'tag()',
};
