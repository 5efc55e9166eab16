import { describeGraph } from './describe-graph.js';
import type { GraphDefinition } from './node.js';

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

const SHAPES = {
  source: ['[(', ')]'],
  stage: ['[', ']'],
  merge: ['{{', '}}'],
  sink: ['[/', '/]'],
  finisher: ['([', '])'],
} as const;

/** Replaces every character but letters, digits and ` _.-` by its Mermaid code, such as `#34;` for a quote. */
function escapeMermaid(text: string): string {
  return text.replace(/[^\p{L}\p{N} _.-]/gu, (character) => `#${character.codePointAt(0)};`);
}
