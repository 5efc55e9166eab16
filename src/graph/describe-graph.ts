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

/**
 * Draws a graph as text: one node per line, with the nodes that it reads from, its fields and its options.
 *
 * @example
 * ```ts
 * import { coco, drawText, Graph } from 'relflow';
 *
 * const graph = new Graph('coco');
 * graph.from(coco({ annotations: 'instances.json' }));
 * console.log(drawText(graph));
 * ```
 */
export function drawText(graph: GraphDefinition): string {
  return describeGraph(graph)
    .map(({ id, kind, inputs, needs, adds, options }) => {
      const from = inputs.length > 0 ? ` ← ${inputs.join(', ')}` : '';
      const added = adds.length > 0 ? `  +${adds.join(' +')}` : '';
      const needed = needs.length > 0 ? `  needs ${needs.join(', ')}` : '';
      const optionLine = Object.keys(options).length > 0 ? `\n    ${JSON.stringify(options)}` : '';
      return `${SYMBOLS[kind]} ${id}${from}${added}${needed}${optionLine}`;
    })
    .join('\n');
}

const SYMBOLS = { source: '▸', stage: '·', merge: '⋈', sink: '◂', finisher: '★' } as const;

/**
 * Draws a graph as a Mermaid flow chart.
 *
 * @example
 * ```ts
 * import { coco, drawMermaid, Graph } from 'relflow';
 *
 * const graph = new Graph('coco');
 * graph.from(coco({ annotations: 'instances.json' }));
 * console.log(drawMermaid(graph));
 * ```
 */
export function drawMermaid(graph: GraphDefinition): string {
  const nodes = describeGraph(graph);
  const key = new Map(nodes.map((node, index) => [node.id, `n${index}`]));
  const lines = nodes.map(({ id, kind, adds }) => {
    const [open, close] = SHAPES[kind];
    const fields = adds.length > 0 ? `<br/>+${adds.map(escapeMermaid).join(' +')}` : '';
    const label = escapeMermaid(id) + fields;
    return `  ${key.get(id)}${open}"${label}"${close}`;
  });
  const edges = nodes.flatMap(({ id, inputs }) => inputs.map((input) => `  ${key.get(input)} --> ${key.get(id)}`));
  return ['flowchart LR', ...lines, ...edges].join('\n');
}

/** Replaces every character but letters, digits and ` _.-` by its Mermaid code, such as `#34;` for a quote. */
function escapeMermaid(text: string): string {
  return text.replace(/[^\p{L}\p{N} _.-]/gu, (character) => `#${character.codePointAt(0)};`);
}

const SHAPES = {
  source: ['[(', ')]'],
  stage: ['[', ']'],
  merge: ['{{', '}}'],
  sink: ['[/', '/]'],
  finisher: ['([', '])'],
} as const;
