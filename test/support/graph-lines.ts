import { writeFile } from 'node:fs/promises';
import type { Relation, SceneGraph } from '../../src/records/scene-graph.js';

/** Writes values as JSON lines. */
export async function writeLines(file: string, values: readonly unknown[]): Promise<void> {
  await writeFile(file, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}

const PREDICATES = ['on', 'near', 'riding', 'holding', 'in front of', 'sitting on', 'under'];
const CATEGORIES = ['person', 'horse', 'dog', 'bench', 'kite', 'it\'s "quoted"'];
const SOURCES = [undefined, undefined, 'geometry', 'proposal', 'predicates'] as const;

/** Makes scene graphs whose values vary with a simple generator of numbers: some relations are of people, some have no object. */
export function variedGraphs(count: number): SceneGraph[] {
  let state = 7;
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  const pick = <T>(values: readonly T[]): T => values[Math.min(next(values.length), next(values.length))] as T;
  return Array.from({ length: count }, (_, number): SceneGraph => {
    const objects = Array.from({ length: 2 + next(5) }, (_, index) => ({
      id: 100 * number + index,
      category: pick(CATEGORIES),
      box: [next(50), next(50), 10 + next(40), 10 + next(40)] as [number, number, number, number],
      ...(next(3) > 0 && { score: next(100) / 100 }),
    }));
    const relations = Array.from({ length: next(6) }, (): Relation => {
      const source = pick(SOURCES);
      const isOfPeople = next(6) === 0;
      return {
        subject: next(objects.length),
        object: next(9) === 0 ? null : next(objects.length),
        predicate: pick(PREDICATES),
        ...(!isOfPeople && { confidence: next(101) / 100, captions: source ? [] : [0] }),
        ...(!isOfPeople && source && { source }),
      };
    });
    return {
      format: 'relflow.scene-graph/1',
      image: {
        id: number,
        file: `${number % 7}/${number}.jpg`,
        width: 100 + next(3),
        height: 100,
        dataset: number % 5 === 0 ? 'other' : 'set',
        split: 'val',
      },
      objects,
      captions: [{ text: `A ${pick(CATEGORIES)} by a ${pick(CATEGORIES)}, No${number}`, source: 'captions.json' }],
      relations,
      provenance: {
        origin: { source: 'coco', file: 'instances.json' },
        operators: [],
        tagger: number % 3 === 0 ? null : { name: pick(['one', 'two']), version: '1', baseline: false },
      },
    };
  });
}

/** Makes a scene graph of two objects with many relations, whose predicates are `p0`, `p1`, … */
export function graphOfRelations(count: number): SceneGraph {
  const [graph] = variedGraphs(1) as [SceneGraph];
  const relations = Array.from({ length: count }, (_, index): Relation => {
    return { subject: 0, object: 1, predicate: `p${index}`, confidence: 0.5, captions: [0] };
  });
  return { ...graph, objects: graph.objects.slice(0, 2), relations };
}
