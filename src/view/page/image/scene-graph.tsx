import { useEffect, useMemo, useRef } from 'preact/hooks';
import { type GraphLayout, layOutGraph } from '../drawing/graph-layout.js';
import type { Point } from '../drawing/rectangle.js';
import { type SceneRelation, shortened } from '../drawing/scene.js';
import { textWidth } from '../drawing/text-width.js';
import { useSize } from '../use-size.js';

interface Props {
  readonly names: readonly string[];
  readonly relations: readonly SceneRelation[];
  readonly lit: string | null;
  readonly onHover: (key: string | null) => void;
  readonly onSelect: (key: string) => void;
}

/** The least magnification at which labels can be read. */
const LEAST_SCALE = 0.72;

/** The relations as a graph of the objects that take part in them. */
export function SceneGraphView({ names, relations, lit, onHover, onSelect }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  const short = names.map(shortened);
  const shortRelations = relations.map((relation) => ({ ...relation, predicate: shortened(relation.predicate) }));
  const content = relations.map(({ subject, predicate, object }) => `${subject} ${predicate} ${object}`).join('\n');
  const graph = useMemo<GraphLayout | null>(
    () => (relations.length === 0 ? null : layOutGraph(short, shortRelations, size, textWidth)),
    [content, size.width, size.height],
  );
  const scale = graph ? Math.max(LEAST_SCALE, Math.min(1.1, size.width / graph.width, size.height / graph.height)) : 1;
  // The lit edge comes into view, unless one points at the graph itself.
  const isPointed = useRef(false);
  useEffect(() => {
    const [element, label] = [frame.current, frame.current?.querySelector('.edge.lit .edge-label')];
    if (!element || !label || isPointed.current) return;
    const [outer, inner] = [element.getBoundingClientRect(), label.getBoundingClientRect()];
    element.scrollLeft += (inner.left + inner.right - outer.left - outer.right) / 2;
    element.scrollTop += (inner.top + inner.bottom - outer.top - outer.bottom) / 2;
  }, [lit]);
  const litRelation = relations.find(({ key }) => key === lit);
  return (
    <section
      class="scene-graph"
      aria-label="Scene graph"
      ref={frame}
      onPointerEnter={() => {
        isPointed.current = true;
      }}
      onPointerLeave={() => {
        isPointed.current = false;
      }}
    >
      {graph && (
        <svg
          viewBox={`${graph.x} ${graph.y} ${graph.width} ${graph.height}`}
          width={graph.width * scale}
          height={graph.height * scale}
          role="img"
          aria-label={relations
            .map(({ subject, predicate, object }) => said(names, subject, predicate, object))
            .join('; ')}
        >
          {graph.edges.map(({ relation, points, label }) => {
            const { key, predicate, look } = shortRelations[relation]!;
            return (
              <g
                key={key}
                class={`edge ${look} ${key === lit ? 'lit' : ''} ${lit && key !== lit ? 'dimmed' : ''}`}
                onPointerEnter={() => onHover(key)}
                onPointerLeave={() => onHover(null)}
                onClick={() => onSelect(key)}
              >
                <path class="touch" d={smooth(points)} />
                <path class="curve" d={smooth(points)} />
                <path class="head" d={head(points)} />
                <rect class="edge-label" {...label} rx="4" />
                <text x={label.x + label.width / 2} y={label.y + 11}>
                  {predicate}
                </text>
              </g>
            );
          })}
          {graph.nodes.map(({ object, rectangle }) => {
            const role =
              object === litRelation?.subject ? 'subject' : object === litRelation?.object ? 'object' : 'other';
            return (
              <g key={object} class={`node ${role} ${litRelation && role === 'other' ? 'dimmed' : ''}`}>
                <rect {...rectangle} rx="5" />
                <text x={rectangle.x + rectangle.width / 2} y={rectangle.y + 14}>
                  {short[object]}
                </text>
              </g>
            );
          })}
        </svg>
      )}
    </section>
  );
}

const said = (names: readonly string[], subject: number, predicate: string, object: number | null): string =>
  `${names[subject]} ${predicate} ${object === null ? '' : names[object]}`.trim();

/** Returns the path through points, rounded at those between the ends. */
function smooth(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let path = `M${first.x} ${first.y}`;
  for (const [index, point] of rest.entries()) {
    const next = rest[index + 1];
    path += next
      ? `Q${point.x} ${point.y} ${(point.x + next.x) / 2} ${(point.y + next.y) / 2}`
      : `L${point.x} ${point.y}`;
  }
  return path;
}

function head(points: readonly Point[]): string {
  const [before, end] = [points.at(-2), points.at(-1)];
  if (!before || !end) return '';
  const angle = Math.atan2(end.y - before.y, end.x - before.x);
  const corner = (turn: number) => `${end.x - 7 * Math.cos(angle + turn)} ${end.y - 7 * Math.sin(angle + turn)}`;
  return `M${end.x} ${end.y}L${corner(0.42)}L${corner(-0.42)}Z`;
}
