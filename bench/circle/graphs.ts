import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { type Box, type SceneGraph, sceneGraphLines } from '../../src/index.js';

/** Scene graph with the fields that training reads. */
export type Graph = Pick<SceneGraph, 'image' | 'objects' | 'relations'> & {
  readonly provenance: SceneGraph['provenance'];
};

/** Triplet of category, predicate and category names. */
export interface RelationKind {
  readonly subject: string;
  readonly predicate: string;
  readonly object: string;
}

/** Returns a string that identifies a triplet. */
export const kindKey = ({ subject, predicate, object }: RelationKind): string => `${subject}\t${predicate}\t${object}`;

/** Every tenth triplet by frequency is held out of all trainings, so that rare and frequent ones are included. */
const HELD_OUT = 10;

/** Number of nearest neighbors that each object is paired with. */
const NEIGHBOURS = 2;

/** Reads scene graphs from a JSON Lines file. */
export async function readGraphs(path: string): Promise<Graph[]> {
  const graphs: Graph[] = [];
  const context = { signal: new AbortController().signal, tempDir: tmpdir(), progress: () => {} };
  for await (const { record } of sceneGraphLines({ sceneGraphs: path }).read(context)) {
    if (!record) continue;
    const { image, detections, relations, origin, tagger } = record;
    graphs.push({
      image,
      objects: [...detections],
      relations: [...relations],
      provenance: { origin, operators: [], tagger },
    });
  }
  return graphs;
}

/** Writes scene graphs to a JSON Lines file. */
export const writeGraphs = (path: string, graphs: readonly Graph[]): Promise<void> =>
  writeFile(
    path,
    graphs.map((graph) => `${JSON.stringify({ format: 'relflow.scene-graph/1', captions: [], ...graph })}\n`).join(''),
  );

/** Returns all category and predicate names, sorted and without duplicates. */
export function namesOf(graphs: readonly Graph[]): { categories: string[]; predicates: string[] } {
  const categories = new Set(graphs.flatMap(({ objects }) => objects.map(({ category }) => category)));
  const predicates = new Set(graphs.flatMap(({ relations }) => relations.map(({ predicate }) => predicate)));
  return { categories: [...categories].sort(), predicates: [...predicates].sort() };
}

/** Returns every tenth triplet in order of descending frequency. */
export function heldOutKinds(graphs: readonly Graph[]): RelationKind[] {
  const counts = new Map<string, { kind: RelationKind; count: number }>();
  for (const { objects, relations } of graphs)
    for (const { subject, predicate, object } of relations) {
      if (object === null) continue;
      const kind = { subject: objects[subject]!.category, predicate, object: objects[object]!.category };
      const entry = counts.get(kindKey(kind)) ?? { kind, count: 0 };
      entry.count++;
      counts.set(kindKey(kind), entry);
    }
  const ranked = [...counts].sort(([a, m], [b, n]) => n.count - m.count || (a < b ? -1 : 1));
  return ranked.filter((_, k) => k % HELD_OUT === HELD_OUT - 1).map(([, { kind }]) => kind);
}

/** Replaces all relations by `beside` relations between each object and its nearest neighbors, which need only detections. */
export function neighborGraphs(graphs: readonly Graph[]): Graph[] {
  return graphs.map((graph) => {
    const { objects } = graph;
    const relations = objects.flatMap(({ box }, subject) =>
      objects
        .map((other, object) => ({ object, far: distance(box, other.box as Box) }))
        .filter(({ object }) => object !== subject)
        .sort((a, b) => a.far - b.far || a.object - b.object)
        .slice(0, NEIGHBOURS)
        .map(({ object }) => ({ subject, object, predicate: 'beside' })),
    );
    return { ...graph, relations, provenance: { ...graph.provenance, tagger: null } };
  });
}

/** Distance between the centers of two boxes, in pixels. */
const distance = (a: Box, b: Box): number =>
  Math.hypot(a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2);
