import { describeGraph } from './describe-graph.js';
import type { GraphDefinition } from './node.js';

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
