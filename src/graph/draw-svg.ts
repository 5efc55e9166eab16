import { escapeHtml } from '../files/escape-html.js';
import { describeGraph } from './describe-graph.js';
import type { GraphDefinition } from './node.js';

const WIDTH = 150;
const HEIGHT = 44;
const GAP = 44;
const FILLS = { source: '#dbeafe', stage: '#f1f5f9', merge: '#fef3c7', sink: '#dcfce7', finisher: '#fae8ff' } as const;

/** Draws a graph as an SVG picture from left to right: one column per step, one row per branch. */
export function drawSvg(graph: GraphDefinition): string {
  const nodes = describeGraph(graph);
  const columns = new Map<string, number>();
  const rows = new Map<number, number>();
  const positions = new Map<string, { x: number; y: number }>();
  for (const { id, inputs } of nodes) {
    const column = Math.max(-1, ...inputs.map((input) => columns.get(input) ?? -1)) + 1;
    const row = rows.get(column) ?? 0;
    columns.set(id, column);
    rows.set(column, row + 1);
    positions.set(id, { x: 20 + column * (WIDTH + GAP), y: 20 + row * (HEIGHT + GAP / 2) });
  }
  const width = 40 + rows.size * (WIDTH + GAP) - GAP;
  const height = 40 + Math.max(...rows.values(), 1) * (HEIGHT + GAP / 2) - GAP / 2;
  const edges = nodes.flatMap(({ id, inputs }) =>
    inputs.flatMap((input) => {
      const from = positions.get(input);
      const to = positions.get(id);
      if (!from || !to) return [];
      const [x0, y0, x1, y1] = [from.x + WIDTH, from.y + HEIGHT / 2, to.x, to.y + HEIGHT / 2];
      const middle = (x0 + x1) / 2;
      return [
        `<path d="M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}" fill="none" stroke="#64748b" marker-end="url(#a)"/>`,
      ];
    }),
  );
  const boxes = nodes.map(({ id, kind, adds }) => {
    const { x, y } = positions.get(id)!;
    const label = text(x + WIDTH / 2, y + (adds.length > 0 ? 18 : 27), 13, id);
    const fields = adds.length > 0 ? text(x + WIDTH / 2, y + 35, 10, `+${adds.join(' +')}`) : '';
    return `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="6" fill="${FILLS[kind]}" stroke="#64748b"/>${label}${fields}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#64748b"/></marker></defs>',
    ...edges,
    ...boxes,
    '</svg>',
  ].join('\n');
}

function text(x: number, y: number, size: number, content: string): string {
  return `<text x="${x}" y="${y}" font-family="sans-serif" font-size="${size}" text-anchor="middle">${escapeHtml(content)}</text>`;
}
