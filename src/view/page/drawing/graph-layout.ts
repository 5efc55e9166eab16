import { Graph, layout } from '@dagrejs/dagre';
import type { RelationRef } from '../../view-api.js';
import type { Point, Rectangle } from './rectangle.js';

/** A scene graph laid out in layers. */
export interface GraphLayout {
  /** The part of the plane that is drawn. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly { readonly object: number; readonly rectangle: Rectangle }[];
  /** For each relation with an object: its line, and where its label stands; in the order of the relations. */
  readonly edges: readonly {
    readonly relation: number;
    readonly points: readonly Point[];
    readonly label: Rectangle;
  }[];
}

const HEIGHT = 20;
const PADDING = 7;
const MARGIN = 6;

/**
 * Lays out the objects that take part in relations, in layers (Sugiyama's method, by dagre). Labels of edges have room of
 * their own. Of a layout from left to right and one from top to bottom, the one that fills the screen better is taken.
 *
 * @param screen width and height to fill, in CSS pixels
 * @param widthOf width of a text in the labels' font, in CSS pixels
 */
export function layOutGraph(
  names: readonly string[],
  relations: readonly RelationRef[],
  screen: { readonly width: number; readonly height: number },
  widthOf: (text: string) => number,
): GraphLayout {
  const layouts = (['LR', 'TB'] as const).map((direction) => layOut(names, relations, direction, widthOf));
  const scale = ({ width, height }: GraphLayout) => Math.min(screen.width / width, screen.height / height);
  return layouts.reduce((best, other) => (scale(other) > scale(best) ? other : best));
}

function layOut(
  names: readonly string[],
  relations: readonly RelationRef[],
  direction: 'LR' | 'TB',
  widthOf: (text: string) => number,
): GraphLayout {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: direction, nodesep: 10, ranksep: 14, edgesep: 6 });
  const used = new Set(relations.flatMap(({ subject, object }) => (object === null ? [subject] : [subject, object])));
  const objects = [...used].sort((a, b) => a - b);
  for (const object of objects)
    graph.setNode(String(object), { width: widthOf(names[object] ?? '') + 2 * PADDING, height: HEIGHT });
  for (const [index, { subject, object, predicate }] of relations.entries())
    if (object !== null)
      graph.setEdge(
        String(subject),
        String(object),
        { width: widthOf(predicate) + 8, height: 15, labelpos: 'c' },
        String(index),
      );
  layout(graph);
  const rectangleOf = (box: unknown): Rectangle => {
    const { x, y, width, height } = box as Rectangle;
    return { x: x - width / 2, y: y - height / 2, width, height };
  };
  const nodes = objects.map((object) => ({ object, rectangle: rectangleOf(graph.node(String(object))) }));
  const edges = relations.flatMap(({ subject, object }, relation) => {
    if (object === null) return [];
    const label = graph.edge({ v: String(subject), w: String(object), name: String(relation) }) as Rectangle & {
      points: readonly Point[];
    };
    return [{ relation, points: label.points, label: rectangleOf(label) }];
  });
  // Loops of an object with itself reach beyond what the layout counts.
  const parts = [...nodes.map(({ rectangle }) => rectangle), ...edges.map(({ label }) => label)];
  const corners = [
    ...edges.flatMap(({ points }) => points),
    ...parts,
    ...parts.map(({ x, y, width, height }) => ({ x: x + width, y: y + height })),
  ];
  const [x, y] = [Math.min(...corners.map((point) => point.x)), Math.min(...corners.map((point) => point.y))];
  const right = Math.max(...corners.map((point) => point.x));
  const bottom = Math.max(...corners.map((point) => point.y));
  return {
    x: x - MARGIN,
    y: y - MARGIN,
    width: right - x + 2 * MARGIN,
    height: bottom - y + 2 * MARGIN,
    nodes,
    edges,
  };
}
